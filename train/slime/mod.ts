/**
 * Plans slime runs: turns a recipe into a plan, without a GPU, network or key.
 *
 * ```ts
 * import { ok } from "node:assert/strict";
 * import { resolveSlime } from "./mod.ts";
 *
 * const { batch } = resolveSlime({ name: "mine", text: "trainer: slime" });
 * ok(batch.gpus > 0);
 * ```
 *
 * @module
 */

export { type ResolvedSlime, resolveSlime } from "./slime_config.ts";
export { planLaunch } from "./plan/slime_plan.ts";
export { planData } from "./plan/slime_rows.ts";
export { readHooks } from "./read_hooks.ts";
export { slimeFileName, slimeRows } from "./plan/tau_example_rows.ts";

export type { LaunchPlan } from "./plan/plan_types.ts";
export type { SlimeConfig } from "./slime_schema.ts";
