/** A fault in a recipe or a world, and its fix. */

/** A problem with values that do not fit together. */
export interface Fault {
  /** The fault, with its values. */
  readonly found: string;
  /** The fix. */
  readonly fix: string;
}

/** Returns a fault unless a condition holds. */
export function unless(holds: boolean, found: string, fix: string): Fault[] {
  return holds ? [] : [{ found, fix }];
}

/** Formats a fault as one line. */
export function faultText({ found, fix }: Fault): string {
  return `${found}; ${fix}`;
}
