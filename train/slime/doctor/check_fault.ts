/**
 * What a check throws, as a finding.
 *
 * @module
 */

import {
  ConfigError,
  DataError,
  HostError,
  InfrastructureError,
  PolicyError,
  RayError,
  RunDirError,
} from "../../../env/errors.ts";

/** A finding of the worst kind, before it is told of which check. */
export interface Fault {
  readonly state: "fail";
  readonly found: string;
  readonly mend: string;
}

const OURS = [
  ConfigError,
  DataError,
  HostError,
  InfrastructureError,
  PolicyError,
  RayError,
  RunDirError,
];

/**
 * Errors of ours say how to mend them, behind their last semicolon; what else is thrown is a bug, and no reason
 * to trust the other checks less.
 * @param otherwise What to do where an error does not say.
 */
export function faultOf(
  error: unknown,
  otherwise = "mend what it names, then look again",
): Fault {
  if (!isOurs(error)) return bug(error);
  const at = error.message.lastIndexOf("; ");
  const [found, mend] = at < 0
    ? [error.message, otherwise]
    : [error.message.slice(0, at), error.message.slice(at + 2)];
  return { state: "fail", found, mend };
}

/** Whether an error is of a boundary, and no bug. */
export function isOurs(error: unknown): error is Error {
  return OURS.some((kind) => error instanceof kind);
}

function bug(error: unknown): Fault {
  const stack = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return {
    state: "fail",
    found: `the check itself broke: ${stack.slice(0, 500)}`,
    mend:
      "report it as a bug of taulab with the command line, and go on with --skip",
  };
}
