/** A case of a check: a world, and what is to be found in it. */

import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import {
  checkContext,
  slimeConfig,
  toldShell,
} from "../../../../support/doctor.ts";

/** One world for a check. */
export interface Case {
  readonly check: string;
  readonly state: "pass" | "warn" | "fail" | "skipped";
  /** What it is a case of. */
  readonly name: string;
  /** What is found, for all but passes also how it is mended. */
  readonly says: RegExp;
  readonly mend?: RegExp;
  readonly world: (
    held: AsyncDisposableStack,
    dir: string,
  ) => CheckContext | Promise<CheckContext>;
}

/** A recipe over one host whose commands answer as told. */
export function onHost(
  answers: Parameters<typeof toldShell>[0],
  sets: readonly string[] = [],
): CheckContext {
  return checkContext(slimeConfig(sets), { hosts: [toldShell(answers)] });
}
