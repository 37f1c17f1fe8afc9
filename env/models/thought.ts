/**
 * A thinking model's answer, taken apart: what it thought, which nobody but the record sees, and what it says.
 *
 * Some templates open the thought in the prompt, so that an answer holds its end alone.
 */

/** An answer, taken apart. */
export interface Considered {
  /** Between the tags; `undefined` where the answer holds none. */
  readonly thought?: string;
  /** What is said: all of the text where there is no thought, and nothing where the thought does not end. */
  readonly words: string;
  /** Whether the thought has no end. */
  readonly isUnfinished: boolean;
}

const START = /^\s*<think(?:ing)?>/i;
const END = /<\/think(?:ing)?>/i;

/**
 * Takes an answer apart at the first end of a thought. What looks like a call within a thought is none.
 * @param options.isOpen Whether the prompt opened the thought already. Default: false.
 */
export function considered(
  text: string,
  { isOpen = false }: { readonly isOpen?: boolean } = {},
): Considered {
  const start = START.exec(text);
  const end = END.exec(text);
  if (end === null) {
    return start === null && !isOpen
      ? { words: text, isUnfinished: false }
      : { thought: within(text, start), words: "", isUnfinished: true };
  }
  return {
    thought: within(text.slice(0, end.index), start),
    words: text.slice(end.index + end[0].length).trimStart(),
    isUnfinished: false,
  };
}

function within(text: string, start: RegExpExecArray | null): string {
  return text.slice(start?.[0].length ?? 0).trim();
}

/** Whether a prompt ends where a thought begins. */
export function opensThought(prompt: string): boolean {
  return /<think(?:ing)?>\s*$/i.test(prompt);
}

/** What a model is told whose answer is a thought and nothing else. */
export const NOTHING_SAID =
  "There is a thought and nothing after it: end the thought, then call a tool or speak to the customer";

/** The variable of a chat template that lets a hybrid model think or not, as Qwen3's is called; none for `null`. */
export function thinkingVariables(
  thinking: boolean | null,
): Readonly<Record<string, unknown>> {
  return thinking === null ? {} : { enable_thinking: thinking };
}
