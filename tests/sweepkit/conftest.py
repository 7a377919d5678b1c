"""Tests of launches share their compiled programs."""

from tests.support.programs import programs_are_shared as programs_are_shared
