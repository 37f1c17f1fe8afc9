/**
 * Builds the prompts for agents and simulated users of a generated world. The text was written for taulab and is not
 * the benchmark's. It asks for the benchmark's markers, which are needed to parse the models' messages: `Thought:`,
 * `Action:`, `User Response:`, `Response:`, and true or false.
 */

import type { Prompts } from "../types.ts";

/** The parts of the prompts that differ between domains. */
export interface DeskWords {
  /** The agent's role: `a store's support agent`. */
  readonly agent: string;
  /** The agent's first question: `May I have your email address?`. */
  readonly question: string;
  /** An example of a tool call, as JSON. */
  readonly call: string;
}

const CUSTOMER_RULES =
  `- Say only what this moment of the conversation asks for; keep the rest until you are asked or it is needed.
- You know nothing beyond your situation. Asked for something that it does not hold, say that you do not know it.
- Use your own words instead of reciting the situation, and keep to the temper that it describes.
- Agree to a change only if it is the one that you want.`;

const ACTION_FORMAT =
  `{"name": "<name of the tool>", "arguments": {<its arguments>}}`;

function actionRules({ question, call }: DeskWords): string {
  return `The line after "Action:" is read by a program: it must be one JSON object and nothing else. To speak to the customer, use the name "respond" with the one argument "content":

Action:
{"name": "respond", "arguments": {"content": "${question}"}}

Call a tool like this:

Action:
${call}

A tool's answer comes in the next message. Use only values that the customer or a tool has given, and keep to the policy.`;
}

/** Creates the prompts of a domain's generated worlds. */
export function deskPrompts(desk: DeskWords): Prompts {
  const rules = actionRules(desk);
  return {
    user: {
      system:
        `You play a customer who writes to ${desk.agent}. Each of your answers is one short message to the agent, and nothing else.<<instruction_display>>

How to play:
${CUSTOMER_RULES}
- Once everything that you came for is done, or refused for good, answer with ###STOP### alone.`,
      reactSystem:
        `You play a customer who writes to ${desk.agent}.<<instruction_display>>

How to play:
- Think first, in a few words, about what is done and what is still open. The agent does not see it.
- Then write one short message to the agent.
${CUSTOMER_RULES}
- Once everything that you came for is done, or refused for good, the message is ###STOP### alone.

Write in this form:

Thought:
<what you think>

User Response:
<the message to the agent>`,
      instructionDisplay: "\n\nYour situation: <<instruction>>",
      verify:
        `Below is a conversation between a customer and a support agent, and the message that the customer wants to send next. Judge the message: is it something that this customer would say here, true to what was said before, and neither empty nor a repetition?
Answer with the one word true or the one word false.

Conversation:
<<transcript>>

Message:
<<response>>

Answer:`,
      reflect:
        `Below is a conversation between a customer and a support agent, and a message that the customer wanted to send next. The message was found unfit. Say in a sentence or two what is wrong with it, then write a better one.

Conversation:
<<transcript>>

Message:
<<response>>

Write in this form:

Reflection:
<what is wrong>

Response:
<the better message>`,
      roleLabels: { user: "Customer", assistant: "Agent" },
      firstAgentMessage: "Welcome! What can I do for you?",
    },
    agent: {
      textSystem: `<<wiki>>

# Tools
<<tools_json>>
<<agent_instruction>>`,
      reactInstruction: `
# How to answer
Serve the customer by the policy above, with the tools above. Each of your answers has exactly this form:

Thought:
<one line: what you know, and what follows from it>
Action:
${ACTION_FORMAT}

${rules}
`,
      actInstruction: `
# How to answer
Serve the customer by the policy above, with the tools above. Each of your answers has exactly this form:

Action:
${ACTION_FORMAT}

${rules}
`,
      observationPrefix: "Tool answer: ",
      actionMarker: "Action:",
      toolCallingSystem: "<<wiki>>",
      fewShotSystem: `<<wiki>>

# Conversations that went well

<<few_shot_examples>>`,
    },
  };
}
