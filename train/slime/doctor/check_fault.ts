/** What a check throws, as a finding. */

import { BoundaryError } from "../../../env/errors.ts";

/** A finding of the worst kind, before it is told of which check. */
export interface Fault {
  readonly state: "fail";
  readonly found: string;
  readonly mend: string;
}

/**
 * Errors of ours carry a hint; what else is thrown is a bug, and no reason to trust the other checks less.
 * @param otherwise What to do where an error does not say.
 */
export function faultOf(
  error: unknown,
  otherwise = "mend what it names, then look again",
): Fault {
  if (!(error instanceof BoundaryError)) return bug(error);
  return { state: "fail", found: error.message, mend: error.hint ?? otherwise };
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
