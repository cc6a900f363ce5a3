"""How a model of each library is asked directly, with answers equal to pyfunc's."""

from mooring.modelserver.flavours.choice import predictor_for
from mooring.modelserver.flavours.cutting import part
from mooring.modelserver.flavours.predictor import Predictor

__all__ = ["Predictor", "part", "predictor_for"]
