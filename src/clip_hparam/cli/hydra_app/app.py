"""Entry point of `python sweep.py`, and of `clip-hparam sweep` where the package is installed.

It runs one trial, or with -m a sweep. A user's mistake prints one sentence and exits with code 2.
Errors of this program, and all errors under HYDRA_FULL_ERROR=1, print a traceback.
"""

import os
import sys
from collections.abc import Sequence

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import RunMode
from omegaconf import DictConfig

from clip_hparam.cli.hydra_app.compose import create_trial_spec, split_config
from clip_hparam.cli.hydra_app.config_sources import check_config_sources, validate_variables
from clip_hparam.cli.hydra_app.data_facts import print_trial_notes
from clip_hparam.cli.hydra_app.error_messages import USER_ERRORS, user_message
from clip_hparam.cli.hydra_app.families import as_typed, typed_words, validate_family
from clip_hparam.cli.hydra_app.grammar.command_line import prepare_arguments
from clip_hparam.cli.hydra_app.grammar.single_keys import launcher_note, refuse_sweep_keys
from clip_hparam.cli.hydra_app.hydra_version import CONF_MODULE, VERSION_BASE
from clip_hparam.cli.hydra_app.launchers import with_null_options
from clip_hparam.cli.hydra_app.schema import register_configs
from clip_hparam.cli.output import with_guarded_output
from clip_hparam.config.exit_codes import ExitCode
from clip_hparam.config.options.sweep_options import SweepOptions
from clip_hparam.launch.compile_choice import resolve_single
from clip_hparam.launch.finished import report_finished
from clip_hparam.launch.slurm.commands import SchedulerError
from clip_hparam.records.storage_errors import storage_message
from clip_hparam.training.callbacks.interrupt import InterruptFlag
from hydra_plugins.clip_hparam_plugin.sweeper import AblationSweeper


def run_single_trial(config: DictConfig) -> float:
    """Run one trial and return its reported test accuracy in percent.

    Raises:
        ValueError: the config asks for a sweep.
    """
    validate_family(config.family, HydraConfig.get().runtime.choices)
    recipe, machine, driver = split_config(config)
    if HydraConfig.get().sweeper.get("design") is not None:
        raise ValueError("sweeps=... is a sweep: add -m")
    typed = as_typed(HydraConfig.get().overrides.task)
    if HydraConfig.get().mode != RunMode.MULTIRUN:  # else a job of a third-party launcher
        _refuse_sweep_keys(driver, typed)
    spec = create_trial_spec(recipe, machine, driver, typed)
    print_trial_notes(spec.recipe)
    if (accuracy := report_finished(spec)) is not None:
        return accuracy
    if HydraConfig.get().mode == RunMode.RUN:  # a sweep decides for all of its trials
        spec = resolve_single(spec)
    from clip_hparam.launch.foreground import run_in_foreground  # lazy: torch, 2 s

    return run_in_foreground(spec)


def _refuse_sweep_keys(driver: SweepOptions, typed: Sequence[str]) -> None:
    """Raise ValueError for keys without effect; print that the machine's launcher has none."""
    refuse_sweep_keys(driver, typed, HydraConfig.get().overrides.hydra)
    if note := launcher_note(HydraConfig.get().runtime.choices["hydra/launcher"]):
        print(f"note: {note}", file=sys.stderr)


@with_guarded_output
def main() -> int:
    """Run `python sweep.py` and return its ExitCode."""
    register_configs()
    Plugins.instance().register(AblationSweeper)  # replaces the one that Hydra found
    check_config_sources()
    sys.argv[1:] = with_null_options(sys.argv[1:])
    full = "HYDRA_FULL_ERROR" in os.environ
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises instead of printing
    try:
        for word in sys.argv[1:]:
            validate_variables(word, word.partition("=")[0])
        sys.argv[1:] = typed_words(prepare_arguments(sys.argv[1:]))
        with InterruptFlag().installed():
            _run_hydra()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else ExitCode.WRONG_USE
    except USER_ERRORS as error:
        if full:
            raise
        print(user_message(error), file=sys.stderr)
        return ExitCode.WRONG_USE
    except SchedulerError as error:
        print(f"{error}; nothing is lost, run the same command again to continue", file=sys.stderr)
        return ExitCode.STORAGE
    except OSError as error:
        print(storage_message(error), file=sys.stderr)
        return ExitCode.STORAGE
    except KeyboardInterrupt as error:
        print(str(error) or "interrupted: run the same command again to continue", file=sys.stderr)
        return ExitCode.INTERRUPTED
    finally:
        if not full:
            del os.environ["HYDRA_FULL_ERROR"]
    return ExitCode.OK


def _run_hydra() -> None:
    """Run the Hydra app. Errors of a trial bypass Hydra, which would print a line of its own."""
    errors: list[BaseException] = []

    def task(config: DictConfig) -> float | None:
        try:
            return run_single_trial(config)
        except KeyboardInterrupt:  # ends the whole sweep of a launcher that runs in this process
            raise
        except BaseException as error:
            errors.append(error)
            return None

    hydra.main(config_path=f"pkg://{CONF_MODULE}", config_name="config", **VERSION_BASE)(task)()
    if errors:
        raise errors[0]
