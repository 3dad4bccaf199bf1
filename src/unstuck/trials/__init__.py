"""Controlled trials: arms with paired seeds, their statistics, and the engines that run them."""
