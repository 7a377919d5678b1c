"""Tasks that need memory, with one family per file, and the table `TASKS` of those that take a single number.

A factory makes variants that are not in the table: `copy_memory(100, symbols=4)`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from recurrent_lab._checks import check_choice
from recurrent_lab.tasks._adding import adding, multiplication
from recurrent_lab.tasks._captions import captions, image_row, letter_row, spell
from recurrent_lab.tasks._decisions import context_integration, delayed_comparison, perceptual_decision
from recurrent_lab.tasks._language import language, next_tokens
from recurrent_lab.tasks._state_tracking import parity, permutation_product, swap_product
from recurrent_lab.tasks._tagging import tagging
from recurrent_lab.tasks._temporal_order import temporal_order
from recurrent_lab.tasks._utterances import utterances
from recurrent_lab.tasks.chaos import linear_error, mackey_glass, persistence_error
from recurrent_lab.tasks.copying import copy_memory, delayed_copy, noiseless_memorization
from recurrent_lab.tasks.digits import sequential_digits
from recurrent_lab.tasks.next_symbol import long_lag, random_permutation
from recurrent_lab.tasks.sessions import next_item
from recurrent_lab.tasks.spikes import spike_timing
from recurrent_lab.tasks.stories import long_range_recall, name_lags
from recurrent_lab.tasks.task import Batch, Pair, Task, cross_entropy, error_rate, mean_squared_error
from recurrent_lab.tasks.xor import delayed_xor

#: The tasks by name. Each takes one number, a length, lag or delay in steps: the time that the memory must span, up to a factor.
TASKS: Mapping[str, Callable[[int], Task]] = MappingProxyType(
  {
    "adding": adding,  # length
    "multiplication": multiplication,  # length
    "copy_memory": copy_memory,  # lag between pattern and recall
    "noiseless_memorization": noiseless_memorization,  # lag between pattern and recall
    "delayed_copy": lambda delay: delayed_copy(delay, 3 * delay),  # delay; two thirds of the steps count
    "temporal_order": temporal_order,  # length
    "temporal_order_3": lambda length: temporal_order(length, symbols=3),  # length
    "random_permutation": random_permutation,  # length
    "long_lag": long_lag,  # length
    "delayed_xor": lambda delay: delayed_xor(delay, 3 * delay),  # delay, even; two thirds of the steps count
    "spike_timing": spike_timing,  # steps of the shortest pause between spikes
    "long_range_recall": long_range_recall,  # words between the names and the question
    "tagging": tagging,  # length
    "next_item": next_item,  # length
    "parity": parity,  # length
    "permutation_product": permutation_product,  # length
    "swap_product": swap_product,  # length
    "perceptual_decision": perceptual_decision,  # length
    "context_integration": context_integration,  # length
    "delayed_comparison": delayed_comparison,  # delay
    "mackey_glass": mackey_glass,  # length, which must exceed the 20 steps that do not count
  }
)


def get_task(name: str, length: int) -> Task:
  """Returns the task of that name. `length` is the number that its entry in `TASKS` takes.

  Raises:
    ValueError: for an unknown name, with the valid ones, or a number that the task does not allow.
  """
  check_choice("Task", name, TASKS)
  return TASKS[name](length)


__all__ = [
  "TASKS",
  "Batch",
  "Pair",
  "Task",
  "adding",
  "captions",
  "context_integration",
  "copy_memory",
  "cross_entropy",
  "delayed_comparison",
  "delayed_copy",
  "delayed_xor",
  "error_rate",
  "get_task",
  "image_row",
  "language",
  "letter_row",
  "linear_error",
  "long_lag",
  "long_range_recall",
  "mackey_glass",
  "mean_squared_error",
  "multiplication",
  "name_lags",
  "next_item",
  "next_tokens",
  "noiseless_memorization",
  "parity",
  "perceptual_decision",
  "permutation_product",
  "persistence_error",
  "random_permutation",
  "sequential_digits",
  "spell",
  "spike_timing",
  "swap_product",
  "tagging",
  "temporal_order",
  "utterances",
]
