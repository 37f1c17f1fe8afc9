/** Defines faults: inconsistent values in a recipe or a plan, and how to fix them. */

/** Inconsistent values, and how to fix them. */
export interface Fault {
  /** What is wrong, with the keys and their values. */
  readonly found: string;
  /** The fix, in the imperative. */
  readonly fix: string;
}

/** Returns an empty array if a condition holds, and an array with one fault if it does not. */
export function unless(holds: boolean, found: string, fix: string): Fault[] {
  return holds ? [] : [{ found, fix }];
}

/** Formats a fault as one line. */
export function faultText({ found, fix }: Fault): string {
  return `${found}; ${fix}`;
}
