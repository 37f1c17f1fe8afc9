/**
 * Checks whether a chat API would show the model the same earlier messages as in training. Chat APIs render the history
 * again in every turn.
 */

import { PolicyError } from "../../../../env/errors.ts";
import type { ChatTemplate } from "../../../../env/tokens/chat_template.ts";
import {
  type PrefixReport,
  probeTemplate,
} from "../../../../env/tokens/rewritten_prefix.ts";
import { REWRITTEN_HISTORY } from "../../rewritten_history.ts";
import { type Check, fail, type Observed, pass, warn } from "../check.ts";

/** The `history` check. */
export const check: Check = {
  id: "history",
  order: 115,
  title:
    "the chat template renders earlier messages unchanged in later turns, so that a chat API shows the model what it saw in training",
  async run({ facts, config: { model } }) {
    const { template } = await facts.codec();
    return [judge(template, model.thinking)];
  },
};

function judge(template: ChatTemplate, thinking: boolean | null): Observed {
  const report = probe(template);
  if (report instanceof PolicyError) {
    return fail(
      `the chat template cannot continue after an answer: ${report.message}`,
      "check eos_token in tokenizer_config.json, or use the template of the instruction-tuned model",
    );
  }
  if (report.kind === "prefix") {
    return pass(
      "the chat template renders earlier messages unchanged in later turns",
    );
  }
  const { kept, rendered } = report;
  if (/^<think>\s*<\/think>/.test(kept)) {
    return pass(
      "only the empty thoughts of earlier answers are removed in later turns",
    );
  }
  return kept.startsWith("<think>")
    ? warn(
      `the chat template removes the thoughts of earlier answers: ${REWRITTEN_HISTORY}`,
      thinking === false
        ? TOKEN_BY_TOKEN
        : `${THINK_NOT}, or ${TOKEN_BY_TOKEN}`,
    )
    : warn(
      `the chat template renders earlier messages differently in later turns, ${
        quoted(rendered)
      } instead of ${quoted(kept)}: ${REWRITTEN_HISTORY}`,
      TOKEN_BY_TOKEN,
    );
}

function probe(template: ChatTemplate): PrefixReport | PolicyError {
  try {
    return probeTemplate(template);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
}

const THINK_NOT =
  "set model.thinking to false so that only empty thoughts are removed";

const TOKEN_BY_TOKEN =
  'send the model tokens instead of messages, as "deno task evaluate --provider sglang --tokenizer DIR" does';

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 30));
}
