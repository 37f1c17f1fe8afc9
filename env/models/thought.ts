/**
 * Handles the thoughts of thinking models: separates them from the text of answers, and turns thinking on or off.
 * Thoughts are recorded, but are not part of the messages.
 *
 * Some templates end the prompt with the opening tag of a thought, in which case the answer contains only the closing
 * tag.
 */

/** An answer, split into thought and text. */
export interface SplitAnswer {
  /** The text of the thought without its tags, or `undefined` if the answer has no thought. */
  readonly thought?: string;
  /** The visible text. It is the whole answer if there is no thought, and empty if the thought is not closed. */
  readonly words: string;
  /** Whether the answer ends within a thought. */
  readonly isUnfinished: boolean;
}

const START = /^\s*<think(?:ing)?>/i;
const END = /<\/think(?:ing)?>/i;

/**
 * Splits an answer at the first closing tag of a thought. Tool calls within a thought are part of the thought.
 * @param options.isOpen Whether the prompt already opened the thought. Default: false.
 */
export function splitThought(
  text: string,
  { isOpen = false }: { readonly isOpen?: boolean } = {},
): SplitAnswer {
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

/** Checks whether a prompt ends with the opening tag of a thought. */
export function opensThought(prompt: string): boolean {
  return /<think(?:ing)?>\s*$/i.test(prompt);
}

/** The message that is sent to a model if its answer contains only a thought. */
export const NOTHING_SAID =
  "The answer contains only a thought: end the thought, then call a tool or write to the user";

/**
 * Returns the template variable that turns thinking on or off in hybrid models. It has the name that Qwen3's template
 * uses. For `null`, the result is empty.
 */
export function thinkingVariables(
  thinking: boolean | null,
): Readonly<Record<string, unknown>> {
  return thinking === null ? {} : { enable_thinking: thinking };
}
