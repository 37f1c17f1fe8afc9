/** Defines the type of the test cases for the doctor's checks, and a helper that creates their contexts. */

import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import {
  checkContext,
  slimeOf,
  toldShell,
} from "../../../../support/doctor.ts";

/** A test case for a check of the doctor. */
export interface Case {
  readonly check: string;
  readonly state: "pass" | "warn" | "fail" | "skipped";
  /** A description of the situation that the case tests. */
  readonly name: string;
  /** Matches the text of the expected finding. */
  readonly says: RegExp;
  /** Matches the fix in the expected finding. */
  readonly fix?: RegExp;
  readonly world: (
    held: AsyncDisposableStack,
    dir: string,
  ) => CheckContext | Promise<CheckContext>;
}

/** Creates a context in which checks run, for a recipe and one host whose commands have scripted answers. */
export function onHost(
  answers: Parameters<typeof toldShell>[0],
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeOf(sets), { hosts: [toldShell(answers)] });
}
