import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from skdistill import (
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.device.profile import Profile, differs, profile, stated_error
from skdistill.device.targets import TARGETS
from skdistill.export.parity import probe_rows

sys.path.insert(0, str(Path(__file__).parents[1]))
from strategies import adversarial_rows, compact_models, seeds  # noqa: E402
