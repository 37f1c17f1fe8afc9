/**
 * Provides an agent that acts like the expert but paraphrases its sentences, as a language model might. Tests use it to
 * check whether the scripted user understands unfamiliar wordings.
 */

import { expertAgent } from "../../../env/agents/expert.ts";
import { createRng, type Rng } from "../../../env/random.ts";
import type { Action, Agent, AgentStep } from "../../../env/types.ts";

/**
 * Patterns that match the expert's sentences, each with alternative wordings. In a wording, `$1` is the text that the
 * pattern captures.
 */
export type Wordings = readonly (readonly [RegExp, readonly string[]])[];

/** Alternative wordings for the sentences of the retail expert. */
const WORDINGS: Wordings = [
  [/^.*\byour email, or your name and zip[.?]$/, [
    "Hello! Thanks for reaching out. I'd be happy to help with that. To get started, could you please verify your identity by providing the email address associated with your account, or your full name and ZIP code?",
    "I can certainly help you with this! Before we proceed, I'll need to authenticate you. Please provide either:\n\n1. Your email address, or\n2. Your first name, last name, and zip code.",
    "Sure thing. What's your email?",
    "May I have your first and last name as well as your zip code, please?",
    "To confirm your identity, can you tell me the email on file?",
    "I'm sorry to hear that. Let me look into it. Who am I speaking with? An e-mail or a name plus postal code will do.",
  ]],
  [
    /^(which order is it\?|what is the order id\?|please tell me the order id\.)$/,
    [
      "Thank you! I've located your account. Could you please provide the order ID (it starts with #W)?",
      "Which order would you like me to look at?",
      "Got it. Do you happen to have the order number?",
      "Please share the ID of the order in question.",
    ],
  ],
  [/^(which items? .*|please tell me which items\.)$/, [
    "I see your order has several items. Which items would you like to include in this request?",
    "Could you let me know which item you'd like me to process?",
    "Please specify the items you want to return or exchange.",
    "Which product is this about?",
  ]],
  [/^.*\b(?:instead|want for the).*[?.]$/, [
    "This product comes in several variants. Which option would you like instead?",
    "Great, what color would you prefer for the replacement item?",
    "What would you like to exchange it for?",
    "Please let me know the new item you'd like, e.g. its color and size.",
  ]],
  [/^(what is the reason\?|why, no longer .*|may i ask the reason\?)$/, [
    "May I ask the reason for the cancellation? It must be either 'no longer needed' or 'ordered by mistake'.",
    "Could you tell me why you'd like to cancel this order?",
    "Please provide a reason: is it no longer needed, or was it ordered by mistake?",
  ]],
  [/^(which|what) payment method.*$/, [
    "How would you like to receive the refund or pay the difference? I can use your original payment method or a gift card.",
    "Which payment method should be used for any price difference?",
    "Could you please specify the payment method you'd like to use?",
    "Where should the refund go?",
  ]],
  [
    /^(what is the new address\?|which address.*|please tell me the new address\.)$/,
    [
      "Could you please share the full new shipping address, including street, city, state and zip code?",
      "What's the new address?",
      "Where would you like it to be shipped?",
      "Please provide the complete updated address.",
    ],
  ],
  [/^(?:shall i |i will )?(.*?)[,.] yes or no\?$/, [
    "Here is a summary of what I'm about to do:\n\n- **Action:** $1\n\nDo you confirm that you'd like me to proceed? (yes/no)",
    "Just to confirm: $1. Is that correct?",
    'I will now $1. Please reply with "yes" to confirm and I\'ll go ahead right away.',
    "Would you like me to $1?",
    "Okay, let me make sure I have this right: $1. Shall I proceed?",
  ]],
  [/^done, (.*?)\. [^.]*\?$/, [
    "Great news! It has been successfully processed: $1. You will receive an email with further details, and any refund takes 5-7 business days. Is there anything else I can assist you with today?",
    "All set! $1. Is there anything else I can help you with?",
    "I've completed your request: $1. Can I help with anything else?",
  ]],
  [/^sorry, (order .*?|that is .*?)\. [^.]*\?$/, [
    "I'm sorry, but unfortunately this can't be done: $1. Is there anything else I can help you with?",
    "Unfortunately I'm unable to do that, since $1. Would you like help with something else instead?",
    "I apologize for the inconvenience. $1. I cannot process this request.",
  ]],
  [/^(the .* is .*|here is what .*)\. [^.]*\?$/, [
    "Thanks for waiting! $1. Is there anything else you'd like to know?",
    "I checked that for you: $1.",
  ]],
];

/** Creates an agent that acts like the expert but uses other, more verbose wordings. */
export function wordyAgent(wordings: Wordings = WORDINGS): Agent {
  const expert = expertAgent();
  return {
    name: "wordy",
    model: "gold",
    start(start) {
      const session = expert.start(start);
      const rng = createRng(start.seed, "wordy", start.task.id);
      return {
        async act(options) {
          return rephrase(await session.act(options), { rng, wordings });
        },
        observe: (observation) => session.observe(observation),
        get messages() {
          return session.messages;
        },
        close: () => session.close(),
      };
    },
  };
}

/** Returns a paraphrase of a message; `undefined` if no pattern matches it. */
export function paraphrase(
  content: string,
  rng: Rng,
  { wordings = WORDINGS }: { readonly wordings?: Wordings } = {},
): string | undefined {
  for (const [pattern, others] of wordings) {
    if (pattern.test(content)) {
      return content.replace(pattern, rng.pick(others));
    }
  }
  return undefined;
}

function rephrase(
  step: AgentStep,
  { rng, wordings }: { rng: Rng; wordings: Wordings },
): AgentStep {
  if (step.type !== "action" || step.action.type !== "respond") return step;
  const content = paraphrase(step.action.content, rng, { wordings });
  const action: Action = {
    type: "respond",
    content: content ?? step.action.content,
  };
  return { type: "action", action };
}
