/** Creates the setup step that checks out a given commit of a repository. */

import { pathWord, quote } from "../hosts/shell.ts";
import { type Line, PARTIAL, short, type Step, type StepId } from "./step.ts";

/** Options for {@linkcode checkoutStep}: the checkout to create. */
export interface CheckoutOptions {
  readonly id: StepId;
  readonly url: string;
  /** The full 40-digit hash of the commit. */
  readonly commit: string;
  readonly dir: string;
  readonly inside?: boolean;
  /** The flags with which a user can set another commit or directory, for error messages. */
  readonly flags: { readonly commit: string; readonly dir: string };
}

/** Environment variables that disable git's prompts and make it abort stalled transfers. */
const GIT_ENV = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_HTTP_LOW_SPEED_LIMIT: "1000",
  GIT_HTTP_LOW_SPEED_TIME: "60",
};

/**
 * The name of a remote reference to the pinned commit. It makes the commit count as published even though no branch was
 * fetched.
 */
const PIN = "refs/remotes/origin/taulab-pin";

/** Creates the step that clones a repository, or moves an existing checkout to the commit if no work would be lost. */
export function checkoutStep(options: CheckoutOptions): Step {
  const { id, commit, dir, inside = false } = options;
  return {
    id,
    title: `${id} at ${short(commit)} in ${dir}`,
    inside,
    checks: `HEAD is ${short(commit)} and no tracked file has changed`,
    check: checkScript(options),
    commands: (was) =>
      was === "absent" ? cloneLines(options) : moveLines(options),
    usual: inside ? "at the image's commit" : "absent",
    made: (was) =>
      was === "absent"
        ? { kind: "clone", dir, commit }
        : { kind: "moved", dir, from: was.replace(/^at /, ""), to: commit },
  };
}

function checkScript({ dir, commit, flags }: CheckoutOptions): string {
  return `d=${pathWord(dir)}; c=${quote(commit)}
needs git "install it"
[ -e "$d" ] || say "todo absent"
[ -e "$d/.git" ] || say "refused $d already exists and is not a git checkout; move it away, or choose another directory with ${flags.dir}"
h=$(git -C "$d" rev-parse --verify -q HEAD) || say "refused $d has no commit; move it away"
changed=$(git -C "$d" status --porcelain --untracked-files=no) || say "refused git cannot read $d; run git -C $d status to see the reason"
[ -z "$changed" ] || say "refused $d has local changes (number of files: $(echo "$changed" | wc -l | tr -d ' '), see git -C $d status); commit them and pass that commit with ${flags.commit}, or run git stash"
[ "$h" != "$c" ] || say "done $c"
[ -n "$(git -C "$d" branch -r --contains "$h")" ] || say "refused $d is at $h, which is not on a remote branch; pass that commit with ${flags.commit}, or choose another directory with ${flags.dir}"
echo "todo at $(git -C "$d" symbolic-ref -q --short HEAD || echo "$h")"`;
}

/**
 * Returns the commands that clone into a temporary directory and then rename it, so that the final directory is always
 * complete.
 */
function cloneLines({ dir, url, commit }: CheckoutOptions): Line[] {
  const partial = pathWord(`${dir}${PARTIAL}`);
  return [
    { script: `rm -rf ${partial} && git init -q ${partial}` },
    fetchLine(partial, {
      one: `--depth=1 ${quote(url)} ${commit}`,
      all: `--tags ${quote(url)} '+refs/heads/*:refs/remotes/origin/*'`,
    }),
    { script: `git -C ${partial} remote add origin ${quote(url)}` },
    pinLine(partial, commit),
    { script: `mv ${partial} ${pathWord(dir)}` },
  ];
}

function moveLines({ dir, url, commit }: CheckoutOptions): Line[] {
  const there = pathWord(dir);
  return [
    fetchLine(there, {
      one: `${quote(url)} ${commit}`,
      all: `--tags ${quote(url)} '+refs/heads/*:refs/remotes/taulab/*'`,
    }),
    pinLine(there, commit),
  ];
}

/**
 * Returns the command that fetches the commit. If that fails, for example because the server does not serve commits by
 * their hash, the command fetches all branches and tags.
 */
function fetchLine(
  dir: string,
  { one, all }: { one: string; all: string },
): Line {
  const git = `git -C ${dir} fetch --progress`;
  return {
    script: `${git} ${one} || ${git} ${all}`,
    env: GIT_ENV,
    network: true,
  };
}

function pinLine(dir: string, commit: string): Line {
  return {
    script:
      `git -C ${dir} checkout -q --detach ${commit} && git -C ${dir} update-ref ${PIN} ${commit}`,
  };
}
