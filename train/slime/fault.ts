/** Defines faults: values of a recipe or a plan that are not consistent, and how to fix them. */

/** A description of values that are not consistent, and of how to fix them. */
export interface Fault {
  /** A description of the fault, with the values. */
  readonly found: string;
  /** The fix, in the imperative. */
  readonly fix: string;
}

/** Returns an empty array if a condition holds, otherwise an array with one fault. */
export function unless(holds: boolean, found: string, fix: string): Fault[] {
  return holds ? [] : [{ found, fix }];
}

/** Formats a fault as one line. */
export function faultText({ found, fix }: Fault): string {
  return `${found}; ${fix}`;
}
