from __future__ import annotations

import re

from unstuck.report import markdown


def test_says_the_verdict_the_cause_its_cost_place_and_remedy_in_order(stuck):
    text = markdown.render(*stuck)
    order = [
        "# Stuck: The loss has stayed",
        "## 1. Step too small: about 6 times slower (5 to 7)",
        "At `train.py:31`",
        "1. lr=1.0 instead of lr=0.1",
        "- **Vanishing gradient**, at `model.py:12 (net.0)`",
        "## 4. Weight decay too strong: does not get there at all",
        "## Notes",
        "- gradient noise: the whole data set is one batch",
        "2.1 % of the run",
    ]
    assert [text.find(part) for part in order] == sorted(text.find(part) for part in order)
    assert all(part in text for part in order)


def test_nothing_of_the_program_is_markup(hostile):
    text = markdown.render(*hostile)
    outside = re.sub(r"(?<!\\)``.*?``(?!`)", "", text)  # code spans show what they hold
    assert "<" not in outside
    assert re.findall(r"(?<!\\)[\[\]]", outside) == []
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_code_fence_is_longer_than_any_in_the_text():
    assert markdown.code("a``b") == "``` a``b ```"
    assert markdown.code("a") == "`a`"


def test_escape_of_lines_that_would_start_a_block():
    assert markdown.escape("# 1") == r"\# 1"
    assert markdown.escape("1. a") == r"1\. a"
