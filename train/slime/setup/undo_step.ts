/** How each thing made by setup is removed, and when it is kept because it has changed. */

import { join } from "node:path";
import { pathWord, quote } from "../hosts/shell.ts";
import { fingerprintScript } from "./fingerprint.ts";
import { LABEL } from "./container_steps.ts";
import { MARK } from "./python_steps.ts";
import type { Entry, Made } from "./manifest.ts";
import { PARTIAL } from "./step.ts";

/** The removal of one thing. */
export interface UndoStep {
  readonly title: string;
  /** Like a step's check: `done` if it is already gone, `todo` if it can be removed, `refused` if it is kept. */
  readonly check: string;
  readonly commands: readonly string[];
}

type Of<K extends Made["kind"]> = Extract<Made, { kind: K }>;

/** The information for undoing, in addition to the thing itself. */
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

/** Returns the removal of a thing. */
export function undoStep({ made, ...about }: Entry): UndoStep {
  return UNDO[made.kind](made as never, about);
}

/** Refuses a checkout with changed, new or stashed files: they are someone's work. */
function untouched(commit: string): string {
  return `[ "$(git -C "$d" rev-parse HEAD)" = ${
    quote(commit)
  } ] || say "refused $d was moved to another commit since; it stays"
[ -z "$(git -C "$d" status --porcelain)" ] || say "refused $d has local changes or new files; it stays"`;
}

function undoClone({ dir, commit }: Of<"clone">): UndoStep {
  const there = pathWord(dir);
  return {
    title: `remove the checkout ${dir}`,
    check: `d=${there}
[ -e "$d" ] || [ -e "$d${PARTIAL}" ] || say "done it is gone"
[ -e "$d" ] || say "todo partial"
${untouched(commit)}
[ -z "$(git -C "$d" for-each-ref refs/heads refs/stash)" ] || say "refused $d has branches or stashes of its own; it stays"
echo todo`,
    commands: [`rm -rf ${there} ${pathWord(`${dir}${PARTIAL}`)}`],
  };
}

function undoMove({ dir, from, to }: Of<"moved">): UndoStep {
  return {
    title: `put the checkout ${dir} back to ${from}`,
    check: `d=${pathWord(dir)}
[ -e "$d" ] || say "done it is gone"
${untouched(to)}
echo todo`,
    commands: [`git -C ${pathWord(dir)} checkout -q ${quote(from)} --`],
  };
}

function undoVenv({ dir }: Of<"venv">): UndoStep {
  return {
    title: `remove the virtual environment ${dir}`,
    check: `d=${pathWord(dir)}
[ -e "$d" ] || say "done it is gone"
[ -e "$d/${MARK}" ] || say "refused $d is not the one that a set-up made; it stays"
echo todo`,
    commands: [`rm -rf ${pathWord(dir)}`],
  };
}

/** Empties the directory of a download. It may be a mount, which cannot be removed from inside. */
function undoDownload(
  { dir }: Of<"download">,
  { state, fingerprint }: About,
): UndoStep {
  const unchanged = state === "begun"
    ? ":" // never finished: what is there is what came before it was cut off
    : `[ "$${fingerprintScript(dir)}" = ${
      quote(fingerprint)
    } ] || say "refused $d has other files than were put there; it stays"`;
  const there = pathWord(dir);
  return {
    title: `remove what was put into ${dir}`,
    check: `d=${there}
[ -n "$(ls -A "$d" 2>/dev/null)" ] || say "done it is gone"
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
[ -e "$d/${list}" ] || [ -e "$d/${list}.old" ] || say "done it is gone"
[ -e "$d/${list}" ] || say "todo partial"
cd "$d" && tail -n +2 ${list} | sha256sum -c --quiet >/dev/null 2>&1 || say "refused $d has local changes; it stays"
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
    } >/dev/null 2>&1 || say "done it is gone"
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
l=$(${engine} container inspect -f '{{index .Config.Labels "${LABEL}"}}' "$n" 2>/dev/null) || say "done it is gone"
[ "$l" = ${
      quote(label)
    } ] || say "refused $n is not the one that was made; it stays"
echo todo`,
    commands: [
      `${engine} rm -f ${quote(name)}`,
      `rmdir ${dirs} 2>/dev/null || : # what is in use stays`,
    ],
  };
}

function undoPackage({ python, name, was }: Of<"package">): UndoStep {
  const pip = `${pathWord(python)} -m pip`;
  return {
    title: was === "absent"
      ? `uninstall ${name}`
      : `install ${name} from ${was} again`,
    check: `command -v ${
      pathWord(python)
    } >/dev/null || say "done its Python is gone"
${pip} show -q ${name} >/dev/null 2>&1 || say "done it is gone"
echo todo`,
    commands: [
      was === "absent"
        ? `${pip} uninstall -y ${name}`
        : `${pip} install --no-deps -e ${pathWord(was)}`,
    ],
  };
}

/** Refuses: packages that pip installed next to existing ones cannot be told apart later. */
function undoRequirements({ python }: Of<"requirements">): UndoStep {
  const mark = pathWord(join(python, "../..", MARK));
  return {
    title: `the packages in ${python}`,
    check: `p=${pathWord(python)}
command -v "$p" >/dev/null || say "done its Python is gone"
[ ! -e ${mark} ] || say "done they go with their virtual environment"
say "refused $p was there before; remove by hand what you do not want: pip uninstall"`,
    commands: [],
  };
}
