/** What docker and podman complain of when a command cannot be run in a container, as what to do about it. */

import type { Lost } from "./_piped_shell.ts";

/** Why a command in a container did not end. */
export interface ContainerFault {
  readonly reason: string;
  readonly hint: string;
  /** The container is not up. */
  readonly isDown?: boolean;
}

type Rule = readonly [
  said: RegExp,
  reason: string,
  hint: string,
  state?: "down",
];

/** In order: the first that fits counts. `ENGINE` and `NAME` are the container's. */
const RULES: readonly Rule[] = [
  [
    /no such (container|object)|no container with name or ID/i,
    'there is no container "NAME"',
    'make it by "deno task setup", or name another as "container" in hosts.yaml',
    "down",
  ],
  [
    /is not running|is paused|container state improper|can only create exec sessions on running/i,
    'the container "NAME" does not run',
    'start it by "ENGINE start NAME", or by "deno task setup"',
    "down",
  ],
  [
    /permission denied.{0,200}(docker|podman).{0,200}sock/i,
    "this account may not use ENGINE",
    "add it to ENGINE's group and log in again, or set ssh.user in hosts.yaml",
  ],
  [
    /Cannot connect to the Docker daemon|docker daemon running|cannot connect to podman/i,
    "ENGINE does not answer",
    'start it ("systemctl start ENGINE") and see "ENGINE version"',
  ],
  [
    /\bENGINE\b.{0,200}(not found|No such file)/,
    "ENGINE is not there",
    'install it, or take "container" out of hosts.yaml',
  ],
  [
    /OCI runtime exec failed|executable file not found/i,
    'the container "NAME" has no shell',
    "take an image that has sh, as slime's published one",
  ],
];

/** The status of ssh's own failures, which are no container's. */
const SSH_FAILED = 255;

/**
 * Reads what the engine said.
 * @param words That run a command in the container: `docker exec -i NAME`.
 * @returns `undefined` where it is no fault of the container.
 */
export function containerFault(
  { said, status, began }: Lost,
  words: readonly string[],
): ContainerFault | undefined {
  const [engine = "", , , name = ""] = words;
  if (words.length === 0 || status === SSH_FAILED) return undefined;
  const fill = (text: string) =>
    text.replaceAll("ENGINE", engine).replaceAll("NAME", name);
  if (began) {
    return {
      reason: fill(
        `the container "NAME" ended before the command did (code ${status})`,
      ),
      hint: fill('see "ENGINE logs NAME", start it again and repeat'),
    };
  }
  const rule = RULES.find(([pattern]) =>
    new RegExp(fill(pattern.source), pattern.flags).test(said)
  );
  if (rule === undefined) return undefined;
  const [, reason, hint, state] = rule;
  const isDown = state === "down";
  return { reason: fill(reason), hint: fill(hint), isDown };
}
