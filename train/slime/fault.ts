/** What is wrong with a recipe or a world, and what to do about it. */

/** Something that does not fit. */
export interface Fault {
  /** What is there, with its values. */
  readonly found: string;
  /** What to do about it. */
  readonly fix: string;
}

/** A fault, unless all is well. */
export function unless(holds: boolean, found: string, fix: string): Fault[] {
  return holds ? [] : [{ found, fix }];
}

/** A fault on one line. */
export function faultText({ found, fix }: Fault): string {
  return `${found}; ${fix}`;
}
