"""The made-up runs, each written once for all tests of the reports."""

from __future__ import annotations

import pytest

from tests.report import fakes


@pytest.fixture(scope="session", params=sorted(fakes.CASES))
def case(request, tmp_path_factory) -> fakes.Case:
    return fakes.CASES[request.param](tmp_path_factory.mktemp("run") / request.param)


@pytest.fixture(scope="session")
def stuck(tmp_path_factory) -> fakes.Case:
    return fakes.stuck(tmp_path_factory.mktemp("run") / "stuck")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> fakes.Case:
    return fakes.hostile(tmp_path_factory.mktemp("run") / "hostile")
