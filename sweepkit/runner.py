"""The launcher that all experiments share: a plan in, blocks of points computed, files out, a summary at the end.

A point is skipped when it is stored intact, and left to another launcher that is computing it.
"""

from collections.abc import Sequence
import signal
import sys

from sweepkit import store, summary, terminal
from sweepkit.exchange import configurations
from sweepkit.execution import devices, programs, sharing, signals
from sweepkit.execution.progress import say
from sweepkit.experiment import Experiment as Experiment
from sweepkit.launcher import Launch
from sweepkit.options import UsageError
from sweepkit.pages import declared, preview
from sweepkit.plan import Plan, parse
from sweepkit.words import count, number


def run(experiment: Experiment, plan: Plan, process: tuple[int, int] = (0, 1)) -> int:
  """Computes what is missing and returns the number of blocks that failed.

  Args:
    experiment: the experiment.
    plan: what the flags ask for.
    process: (i, n): process i of n computes every n-th block of the plan's shard.

  Raises:
    store.ResultsError: if the folder holds results of another schema.
    signals.Stopped: if a signal asked to stop, after printing what is kept.
  """
  launch = Launch(experiment, plan, process)
  problems = launch.repair()
  code, todo = launch.select()
  problems += launch.prepare_runs(code, todo)
  for problem in problems:
    say(f"{problem} Its points in this sweep are computed again now.")
  total, to_do, tally = sum(map(len, launch.mine)), sum(map(len, todo)), launch.tally
  tally.skipped = total - to_do
  say(
    f"{experiment.name}: {count(to_do, 'point')} to compute, {number(tally.skipped)} already done -> {plan.out}, "
    f"on {devices.described()}"
  )
  done = {point for block in launch.mine for point in block if not code.is_missing(point)}
  with sharing.at_work(launch.inventory, done, code.counts) as work:
    try:
      is_complete = launch.compute(code, todo, work)
    except signals.Stopped:
      say(f"{experiment.name}: {launch.stopped(total)}")
      raise
    if is_complete and (left := to_do - tally.stored - tally.failed):
      say(f"Left to other launchers at work in {plan.out}: {count(left, 'point')}.")
  launch.close(problems)
  if tally.nonfinite:
    say(f"Not finite, and stored with that status: {count(tally.nonfinite, 'point')}.")
  print(summary.after(experiment, launch.inventory, plan.points, tally.skipped, tally.failed))
  return tally.failures


def launch(experiment: Experiment, argv: Sequence[str]) -> tuple[Plan, int]:
  """Does what the flags ask for; returns the plan and the number of blocks that failed.

  Raises:
    UsageError: for any flag that cannot be used, before any work.
    store.ResultsError: if the folder cannot be written, or holds results of another schema.
    signals.Stopped: if a signal asks to stop; results so far are kept.
  """
  try:
    plan = parse(experiment, argv)
    if plan.saved:
      configurations.save(plan.saved)
    if plan.dry_run or plan.summary:  # nothing to keep, so Ctrl-C may end it at once
      _show(plan)
      return plan, 0
    with signals.listening():
      return plan, _launch(plan)
  except (RuntimeError, AssertionError):
    if reason := devices.missing():
      raise UsageError(reason) from None
    raise


def _show(plan: Plan) -> None:
  """Prints what a dry run or a summary shows."""
  if plan.summary:
    plan.inventory.look()
    print(summary.table(plan.experiment, plan.inventory))
  else:
    with programs.configured(jax_enable_x64=plan.points.x64):
      print(preview.describe(plan.experiment, plan))


def _launch(plan: Plan) -> int:
  # On GPU and TPU the default precision of products would be the largest error of every measurement.
  with programs.configured(jax_enable_x64=plan.points.x64, jax_default_matmul_precision="highest"):
    try:
      process = devices.prepare(plan.cpu_devices, plan.hosts)
    except ValueError as error:
      raise UsageError(str(error)) from None
    with programs.kept(plan.compile_cache):
      return run(plan.experiment, plan, process)


@terminal.command()
def main(experiment: Experiment, argv: Sequence[str] | None = None) -> int:
  """Runs an experiment from the command line and returns its exit code."""
  declared.keep(experiment)
  try:
    _, failures = launch(experiment, sys.argv[1:] if argv is None else argv)
    return 1 if failures else 0
  except (UsageError, store.ResultsError) as error:
    print(f"{experiment.name}: {error}", file=sys.stderr)
    return 2
  except signals.Stopped as stop:
    return 128 + stop.signum
  except KeyboardInterrupt:  # before there was anything to keep
    return 128 + signal.SIGINT
