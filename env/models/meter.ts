/** Counts the tokens and the cost of a run's model calls, and stops the run when its budget is spent. */

import { BudgetError, ConfigError } from "../errors.ts";
import type { Usage } from "../types.ts";
import { addUsage, NO_USAGE } from "./usage.ts";

/** The prices of a model, in US dollars per million tokens. */
export interface Price {
  readonly input: number;
  /** The price of cached prompt tokens. Default: the price of `input`. */
  readonly cachedInput?: number | undefined;
  readonly output: number;
}

/** Options for {@linkcode createMeter}. */
export interface MeterOptions {
  /** The prices, keyed by model name. Default: none. */
  readonly prices?: Readonly<Record<string, Price>>;
  /** The budget in US dollars, or `null` for no limit. Default: no limit. */
  readonly maxCost?: number | null;
  /** The budget in tokens, counting both prompt and completion tokens, or `null` for no limit. Default: no limit. */
  readonly maxTokens?: number | null;
  /** The usage of the run's earlier sessions. Default: none. */
  readonly before?: Usage;
}

/** The token counts of a call, and its number of retries. */
export type CallUsage = Omit<Usage, "cost" | "calls">;

/** The component that called a model, and the model that it called. */
export interface CallOrigin {
  readonly source: "model" | "user";
  readonly model: string;
}

/** A meter that counts the tokens and the cost of a run's calls. */
export interface Meter {
  /**
   * Adds the usage of a call to the totals. If the budget is spent, aborts {@linkcode Meter.signal}.
   * @returns The usage of this call, including its cost.
   */
  record(origin: CallOrigin, usage: CallUsage): Usage;
  /** The total usage of each caller and model, excluding the run's earlier sessions. */
  readonly totals: readonly (CallOrigin & { readonly usage: Usage })[];
  /** Aborted with a {@linkcode BudgetError} when the budget is spent, after which no call may start. */
  readonly signal: AbortSignal;
  /**
   * Checks that a budget in dollars can be enforced for a model.
   * @throws {ConfigError} If there is such a budget and the model has no price.
   */
  requirePrice(model: string): void;
}

/**
 * Creates a meter.
 * @throws {ConfigError} If there is a budget in dollars but the cost of earlier sessions is unknown.
 */
export function createMeter(options: MeterOptions = {}): Meter {
  const { prices = {}, maxCost = null, maxTokens = null } = options;
  if (maxCost !== null && options.before?.cost === null) {
    throw new ConfigError(
      "Cannot enforce --max-cost: the run's earlier calls were counted without prices",
      { hint: "pass --max-tokens instead, or start a new run" },
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
      spent.abort(
        budgetError(
          "--max-tokens",
          `${tokens} token${tokens === 1 ? "" : "s"}`,
        ),
      );
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
        `Cannot enforce --max-cost: "${model}" has no price`,
        {
          hint:
            `pass --max-tokens instead, or add prices: { "${model}": { input: …, output: … } } (US dollars per million tokens) to the recipe`,
        },
      );
    },
  };
}

/** Returns the cost in US dollars, or `null` if the price is unknown. */
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
    { hint: `pass a larger ${flag} to continue` },
  );
}
