"""Pictures of models in scikit-learn's manner. Matplotlib is imported when something is drawn."""

from skdistill.inspection.displays.confusion import TeacherConfusionDisplay
from skdistill.inspection.displays.fidelity import FidelityDisplay
from skdistill.inspection.displays.flash import FlashDisplay
from skdistill.inspection.displays.importance import ImportanceDisplay
from skdistill.inspection.displays.pareto import ParetoDisplay
from skdistill.inspection.displays.quantization import QuantizationErrorDisplay
from skdistill.inspection.displays.tree import CompactTreeDisplay

__all__ = [
    "CompactTreeDisplay",
    "FidelityDisplay",
    "FlashDisplay",
    "ImportanceDisplay",
    "ParetoDisplay",
    "QuantizationErrorDisplay",
    "TeacherConfusionDisplay",
]
