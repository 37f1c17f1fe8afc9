/**
 * Plans the removal of each item that setup created. Checkouts, downloads and taulab's files are kept if they have
 * changed since then.
 */

import { join } from "node:path";
import { pathWord, quote } from "../hosts/shell.ts";
import { fingerprintScript } from "./fingerprint.ts";
import { LABEL } from "./container_steps.ts";
import { MARK } from "./python_steps.ts";
import type { Entry, Made } from "./manifest.ts";
import { PARTIAL } from "./step.ts";

/** A step that removes or restores one item that setup created or changed. */
export interface UndoStep {
  readonly title: string;
  /**
   * A check script that prints the same states as the check of a setup step.
   * - `done`: the item is already gone.
   * - `todo`: the item can be removed.
   * - `refused`: the item must be kept.
   */
  readonly check: string;
  readonly commands: readonly string[];
}

type Of<K extends Made["kind"]> = Extract<Made, { kind: K }>;

/** The information that is needed to undo a step, in addition to the item itself. */
type About = Pick<Entry, "state" | "fingerprint">;

const UNDO: {
  readonly [K in Made["kind"]]: (made: Of<K>, about: About) => UndoStep;
} = {
  clone: undoClone,
  moved: undoMove,
  venv: undoVenv,
  download: undoDownload,
  files: undoFiles,
  image: undoImage,
  container: undoContainer,
  package: undoPackage,
  requirements: undoRequirements,
};

/** Returns the step that undoes what an entry of the manifest records. */
export function undoStep({ made, ...about }: Entry): UndoStep {
  return UNDO[made.kind](made as never, about);
}

/**
 * Returns the part of a check that refuses a checkout that is at another commit or has changed or new files, because
 * they may be someone's work.
 */
function untouched(commit: string): string {
  return `[ "$(git -C "$d" rev-parse HEAD)" = ${
    quote(commit)
  } ] || say "refused $d has since moved to another commit; it is kept"
[ -z "$(git -C "$d" status --porcelain)" ] || say "refused $d has local changes or new files; it is kept"`;
}

function undoClone({ dir, commit }: Of<"clone">): UndoStep {
  const there = pathWord(dir);
  return {
    title: `remove the checkout ${dir}`,
    check: `d=${there}
[ -e "$d" ] || [ -e "$d${PARTIAL}" ] || say "done already removed"
[ -e "$d" ] || say "todo partial"
${untouched(commit)}
[ -z "$(git -C "$d" for-each-ref refs/heads refs/stash)" ] || say "refused $d has local branches or stashes; it is kept"
echo todo`,
    commands: [`rm -rf ${there} ${pathWord(`${dir}${PARTIAL}`)}`],
  };
}

function undoMove({ dir, from, to }: Of<"moved">): UndoStep {
  return {
    title: `move the checkout ${dir} back to ${from}`,
    check: `d=${pathWord(dir)}
[ -e "$d" ] || say "done already removed"
${untouched(to)}
echo todo`,
    commands: [`git -C ${pathWord(dir)} checkout -q ${quote(from)} --`],
  };
}

function undoVenv({ dir }: Of<"venv">): UndoStep {
  return {
    title: `remove the virtual environment ${dir}`,
    check: `d=${pathWord(dir)}
[ -e "$d" ] || say "done already removed"
[ -e "$d/${MARK}" ] || say "refused $d was not made by setup; it is kept"
echo todo`,
    commands: [`rm -rf ${pathWord(dir)}`],
  };
}

/**
 * Creates the step that empties the directory of a download, and removes the directory if possible. A mount cannot be
 * removed from inside a container.
 */
function undoDownload(
  { dir }: Of<"download">,
  { state, fingerprint }: About,
): UndoStep {
  const unchanged = state === "begun"
    ? ":" // never finished: the directory only has a partial download
    : `[ "$${fingerprintScript(dir)}" = ${
      quote(fingerprint)
    } ] || say "refused $d has changed since the download; it is kept"`;
  const there = pathWord(dir);
  return {
    title: `remove the contents of ${dir}`,
    check: `d=${there}
[ -n "$(ls -A "$d" 2>/dev/null)" ] || say "done already removed"
${unchanged}
echo todo`,
    commands: [
      `find ${there} -mindepth 1 -delete`,
      `rmdir ${there} 2>/dev/null || :`,
    ],
  };
}

function undoFiles({ dir, list }: Of<"files">): UndoStep {
  const there = pathWord(dir);
  return {
    title: `remove taulab's files from ${dir}`,
    check: `d=${there}
[ -e "$d/${list}" ] || [ -e "$d/${list}.old" ] || say "done already removed"
[ -e "$d/${list}" ] || say "todo partial"
cd "$d" && tail -n +2 ${list} | sha256sum -c --quiet >/dev/null 2>&1 || say "refused $d has local changes; it is kept"
echo todo`,
    commands: [
      `cd ${there} && cat ${list} ${list}.old 2>/dev/null | grep '^[0-9a-f]\\{64\\}  ' | cut -c67- | tr '\\n' '\\0' | xargs -0 rm -f; rm -f ${list} ${list}.old; rm -rf ${
        pathWord(`${dir}${PARTIAL}`)
      }`,
      `find ${there} -depth -type d -empty -delete`,
    ],
  };
}

function undoImage({ engine, image }: Of<"image">): UndoStep {
  return {
    title: `remove the image ${image}`,
    check: `${engine} image inspect ${
      quote(image)
    } >/dev/null 2>&1 || say "done already removed"
echo todo`,
    commands: [`${engine} image rm ${quote(image)}`],
  };
}

function undoContainer(
  { engine, name, label, mounts }: Of<"container">,
): UndoStep {
  const dirs = mounts.map(pathWord).join(" ");
  return {
    title: `remove the container ${name}`,
    check: `n=${quote(name)}
l=$(${engine} container inspect -f '{{index .Config.Labels "${LABEL}"}}' "$n" 2>/dev/null) || say "done already removed"
[ "$l" = ${quote(label)} ] || say "refused $n was not made by setup; it is kept"
echo todo`,
    commands: [
      `${engine} rm -f ${quote(name)}`,
      `rmdir ${dirs} 2>/dev/null || : # a directory in use is kept`,
    ],
  };
}

function undoPackage({ python, name, was }: Of<"package">): UndoStep {
  const pip = `${pathWord(python)} -m pip`;
  return {
    title: was === "absent"
      ? `uninstall ${name}`
      : `reinstall ${name} from ${was}`,
    check: `command -v ${
      pathWord(python)
    } >/dev/null || say "done its Python no longer exists"
${pip} show -q ${name} >/dev/null 2>&1 || say "done already removed"
echo todo`,
    commands: [
      was === "absent"
        ? `${pip} uninstall -y ${name}`
        : `${pip} install --no-deps -e ${pathWord(was)}`,
    ],
  };
}

/**
 * Creates a step that removes nothing. Packages that pip installed into an existing environment cannot be distinguished
 * from other packages later.
 */
function undoRequirements({ python }: Of<"requirements">): UndoStep {
  const mark = pathWord(join(python, "../..", MARK));
  return {
    title: `the packages in ${python}`,
    check: `p=${pathWord(python)}
command -v "$p" >/dev/null || say "done its Python no longer exists"
[ ! -e ${mark} ] || say "done they are removed with their virtual environment"
say "refused $p was not made by setup; remove unwanted packages with pip uninstall"`,
    commands: [],
  };
}
