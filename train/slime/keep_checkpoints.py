"""Removes a run's checkpoints except the last few and the best.

After training on rollout N, slime writes the checkpoint ``iter_NNNNNNN`` into ``--save``, and then N into
``latest_checkpointed_iteration.txt``, from which a run resumes. slime never removes a checkpoint. generate.py calls
:func:`sweep` at each rollout, inside the job, so that it also works while no process follows the run. Settings are
attributes of ``args``: ``taulab_keep_checkpoints`` (the number of last checkpoints to keep; None keeps all) and
``taulab_best_by`` (the evaluation whose mean reward decides which checkpoint is the best; None keeps no best one).

A checkpoint is only removed if one of the run's sessions trained on its rollout, as recorded next to the checkpoints,
and if it is older than the checkpoint from which the run would resume. A directory is renamed before it is removed, so
that no incomplete checkpoint can be loaded.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import threading
from pathlib import Path
from statistics import fmean
from typing import Any

logger = logging.getLogger("taulab")

LATEST = "latest_checkpointed_iteration.txt"
RECORD = "taulab_checkpoints.json"
CHECKPOINT = re.compile(r"iter_(\d{7,})")
REMOVED = ".removed"

_first_rollout: int | None = None
_last_rollout = -1
_scores: dict[int, float] = {}
_removal: threading.Thread | None = None


def note_score(rollout_id: int, args: Any, data: dict[str, Any]) -> None:
    """Records an evaluation's score, except before the first rollout of a session, when there is no new checkpoint."""
    rewards = (data.get(getattr(args, "taulab_best_by", None)) or {}).get("rewards")
    if rewards and _first_rollout is not None and _first_rollout <= rollout_id <= _last_rollout:
        _scores[rollout_id] = fmean(rewards)


def sweep(rollout_id: int, args: Any) -> threading.Thread | None:
    """Removes the checkpoints that are not kept, in a thread because each takes many gigabytes. Never raises.

    Returns the thread, so that a caller can wait for it; None if no thread was started.
    """
    global _first_rollout, _last_rollout, _removal
    if _first_rollout is None:
        _first_rollout = rollout_id
    _last_rollout = rollout_id
    keep, save = getattr(args, "taulab_keep_checkpoints", None), getattr(args, "save", None)
    if not keep or not save or (_removal is not None and _removal.is_alive()):
        return None
    try:
        doomed = _choose(Path(save), keep)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        logger.warning("cannot remove old checkpoints in %s: %s", save, error)
        return None
    _removal = threading.Thread(target=_remove, args=(Path(save), getattr(args, "save_hf", None), doomed), daemon=True)
    _removal.start()
    return _removal


def _choose(root: Path, keep: int) -> list[int]:
    """Updates the record and returns the numbers of the checkpoints to remove."""
    try:
        latest = int((root / LATEST).read_text())
    except (FileNotFoundError, ValueError):
        return []  # nothing has been saved yet, or only a converted checkpoint exists
    own, scores = _read_record(root)
    whole, half_removed = _numbers(root, ""), _numbers(root, REMOVED)
    there = whole | half_removed
    own = own & there | {number for number in there if _first_rollout is not None and number >= _first_rollout}
    scores |= _scores
    ours = sorted(number for number in own & whole if number <= latest)
    best = max(ours, key=lambda number: (scores.get(number, float("-inf")), number), default=None)
    kept = {latest, *ours[-keep:], *([best] if best in scores else [])}
    _write_record(root, own, {at: score for at, score in scores.items() if at in own or at > latest})
    return [number for number in ours if number not in kept] + sorted(own & half_removed - whole)


def _numbers(root: Path, suffix: str) -> set[int]:
    """Returns the numbers of checkpoints that are directories; links to checkpoints of other runs are ignored."""
    return {
        int(found.group(1))
        for path in root.iterdir()
        if path.name.endswith(suffix) and (found := CHECKPOINT.fullmatch(path.name.removesuffix(suffix)))
        if path.is_dir() and not path.is_symlink()
    }


def _read_record(root: Path) -> tuple[set[int], dict[int, float]]:
    try:
        record = json.loads((root / RECORD).read_text())
    except FileNotFoundError:
        return set(), {}
    return set(map(int, record["own"])), {int(at): float(score) for at, score in record["scores"].items()}


def _write_record(root: Path, own: set[int], scores: dict[int, float]) -> None:
    partial = root / f"{RECORD}.partial"
    partial.write_text(json.dumps({"own": sorted(own), "scores": {str(at): scores[at] for at in sorted(scores)}}))
    os.replace(partial, root / RECORD)


def _remove(root: Path, exports: str | None, doomed: list[int]) -> None:
    for number in doomed:
        try:
            _remove_directory(root / f"iter_{number:07d}")
            (root / "rollout" / f"global_dataset_state_dict_{number}.pt").unlink(missing_ok=True)
            if exports and "{rollout_id}" in os.path.basename(exports):
                _remove_directory(Path(exports.format(rollout_id=number)))
        except OSError as error:
            logger.warning("the checkpoint of rollout %s cannot be removed: %s", number, error)
        else:
            logger.info("removed the checkpoint of rollout %s", number)


def _remove_directory(path: Path) -> None:
    removed = path.with_name(path.name + REMOVED)
    if path.is_dir() and not path.is_symlink():
        path.rename(removed)
    if removed.is_dir() and not removed.is_symlink():
        shutil.rmtree(removed)
