/** Turns docker's and podman's error output into a reason and a hint. */

import type { LostCommand } from "./_piped_shell.ts";

/** Why a command in a container did not finish. */
export interface ContainerFault {
  readonly reason: string;
  readonly hint: string;
  /** Whether the command did not start because the container does not exist or is not running. */
  readonly isDown?: boolean;
}

type Rule = readonly [
  said: RegExp,
  reason: string,
  hint: string,
  state?: "down",
];

/**
 * The rules for errors of container engines. The first rule that matches applies. `ENGINE` and `NAME` are replaced with
 * the container's engine and name.
 */
const RULES: readonly Rule[] = [
  [
    /no such (container|object)|no container with name or ID/i,
    'there is no container "NAME"',
    'create it with "deno task setup", or set "container" in hosts.yaml to an existing container',
    "down",
  ],
  [
    /is paused/i,
    'the container "NAME" is paused',
    'resume it with "ENGINE unpause NAME"',
    "down",
  ],
  [
    /is not running|container state improper|can only create exec sessions on running/i,
    'the container "NAME" is not running',
    'start it with "ENGINE start NAME" or "deno task setup"',
    "down",
  ],
  [
    /permission denied.{0,200}(docker|podman).{0,200}sock/i,
    "the account has no permission to use ENGINE",
    "add the account to ENGINE's group and log in again, or set ssh.user in hosts.yaml",
  ],
  [
    /Cannot connect to the Docker daemon|docker daemon running|cannot connect to podman/i,
    "ENGINE does not respond",
    'start it with "systemctl start ENGINE", and check it with "ENGINE version"',
  ],
  [
    /\bENGINE\b.{0,200}(not found|No such file)/,
    "ENGINE is not installed",
    'install ENGINE, or remove "container" from hosts.yaml',
  ],
  [
    /OCI runtime exec failed|executable file not found/i,
    'the container "NAME" has no shell',
    "use an image that has sh, such as slime's published one",
  ],
];

/** The exit status of ssh if ssh itself fails. */
const SSH_FAILED = 255;

/**
 * Explains why a container engine lost a command.
 * @param words The prefix of commands that run in the container, such as `docker exec -i NAME`.
 * @returns The explanation; `undefined` if the error is not a known error of a container.
 */
export function containerFault(
  { said, status, began }: LostCommand,
  words: readonly string[],
): ContainerFault | undefined {
  const [engine = "", , , name = ""] = words;
  if (words.length === 0 || status === SSH_FAILED) return undefined;
  const fill = (text: string) =>
    text.replaceAll("ENGINE", engine).replaceAll("NAME", name);
  if (began) {
    return {
      reason: fill(
        `the container "NAME" stopped before the command ended (exit status ${status})`,
      ),
      hint: fill('check "ENGINE logs NAME", restart the container, and retry'),
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
