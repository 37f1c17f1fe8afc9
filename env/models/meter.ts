/** What a run's model calls come to, and the budget that ends it. */

import { BudgetError, ConfigError } from "../errors.ts";
import type { Usage } from "../types.ts";
import { addUsage, NO_USAGE } from "./usage.ts";

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  /** For prompt tokens that the server had seen before. Default: as `input`. */
  readonly cachedInput?: number | undefined;
  readonly output: number;
}

/** Settings of {@linkcode createMeter}. */
export interface MeterOptions {
  /** By model name. */
  readonly prices?: Readonly<Record<string, Price>>;
  /** US dollars; `null` has no limit. */
  readonly maxCost?: number | null;
  /** Prompt and completion tokens together; `null` has no limit. */
  readonly maxTokens?: number | null;
  /** What the run has used before. Default: nothing. */
  readonly before?: Usage;
}

/** A call's numbers as the server gives them. */
export type CallUsage = Omit<Usage, "cost" | "calls">;

/** Who asked which model. */
export interface CallOrigin {
  readonly source: "model" | "user";
  readonly model: string;
}

/** Counts a run's calls. */
export interface Meter {
  /** Counts an answer. @returns The same with its cost. */
  record(origin: CallOrigin, usage: CallUsage): Usage;
  /** All that was counted, by who asked which model. */
  readonly totals: readonly (CallOrigin & { readonly usage: Usage })[];
  /** Aborted with a {@linkcode BudgetError} once the budget is spent; no call may begin after that. */
  readonly signal: AbortSignal;
  /** Insists that a budget in dollars can be kept. @throws {ConfigError} If the model has no price. */
  requirePrice(model: string): void;
}

/**
 * Makes a meter that nothing has been counted by.
 * @throws {ConfigError} If a budget in dollars cannot be kept, since nobody knows what was used before.
 */
export function createMeter(options: MeterOptions = {}): Meter {
  const { prices = {}, maxCost = null, maxTokens = null } = options;
  if (maxCost !== null && options.before?.cost === null) {
    throw new ConfigError(
      "--max-cost cannot be kept: what the run has used so far was counted without prices",
      { hint: "limit it by --max-tokens, or start a new run" },
    );
  }
  const totals = new Map<string, CallOrigin & { usage: Usage }>();
  const spent = new AbortController();
  let all = options.before ?? NO_USAGE;
  function checkBudget(): void {
    const tokens = all.promptTokens + all.completionTokens;
    if (maxCost !== null && (all.cost ?? 0) >= maxCost) {
      spent.abort(budgetError("--max-cost", `$${(all.cost ?? 0).toFixed(4)}`));
    } else if (maxTokens !== null && tokens >= maxTokens) {
      spent.abort(budgetError("--max-tokens", `${tokens} tokens`));
    }
  }
  checkBudget();
  return {
    signal: spent.signal,
    get totals() {
      return [...totals.values()];
    },
    record(origin, call) {
      const usage = {
        ...call,
        calls: 1,
        cost: costOf(call, prices[origin.model]),
      };
      const key = `${origin.source} ${origin.model}`;
      const before = totals.get(key)?.usage ?? NO_USAGE;
      totals.set(key, { ...origin, usage: addUsage(before, usage) });
      all = addUsage(all, usage);
      checkBudget();
      return usage;
    },
    requirePrice(model) {
      if (maxCost === null || Object.hasOwn(prices, model)) return;
      throw new ConfigError(
        `--max-cost cannot be kept: "${model}" has no price`,
        {
          hint:
            `add prices: { "${model}": { input: …, output: … } } (US dollars per million tokens) to the recipe, or limit the run by --max-tokens`,
        },
      );
    },
  };
}

/** US dollars; `null` without a price. */
function costOf(usage: CallUsage, price: Price | undefined): number | null {
  if (price === undefined) return null;
  const { input, output, cachedInput = input } = price;
  const { promptTokens, cachedTokens, completionTokens } = usage;
  return ((promptTokens - cachedTokens) * input + cachedTokens * cachedInput +
    completionTokens * output) / 1e6;
}

function budgetError(flag: string, amount: string): BudgetError {
  return new BudgetError(
    `The budget is spent: ${amount} used`,
    { hint: `go on by --resume with a larger ${flag}` },
  );
}
