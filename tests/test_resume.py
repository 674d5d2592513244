"""The key of a result changes with whatever changes the result, and with nothing else."""

import hashlib
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests_of import model_of, options_of
