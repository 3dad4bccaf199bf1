"""Networks that grow while they learn: Cascade-Correlation (Fahlman & Lebiere 1990)."""
