/**
 * Finds an agent's requests and questions in a message to a user with a phone, by keywords. Tool names are treated as
 * ordinary words, requests keep their order, and statements are ignored.
 */

import {
  ACTS,
  ASKS,
  CHECKS,
  CHOICE,
  type Clause,
  clausesOf,
  CONSENT,
  GRANTS,
  hasAny,
  OFF,
  ON,
  plain,
  wordsOf,
} from "./phone_clauses.ts";
import type { PhoneTopic, Switch, Topic } from "./phone_topics.ts";

/** A request or question that the user recognizes in a message. */
export type Heard =
  | {
    readonly kind: "check";
    readonly topic: PhoneTopic;
    readonly app?: string;
  }
  | { readonly kind: "turn"; readonly topic: Switch; readonly on: boolean }
  | { readonly kind: "flip"; readonly topic: Switch }
  | { readonly kind: "mode"; readonly mode: string | undefined }
  | {
    readonly kind: "grant";
    readonly app: string;
    readonly permissions: readonly string[];
  }
  | {
    readonly kind: "do";
    readonly topic: "sim" | "apn" | "reboot" | "payment";
  }
  | {
    readonly kind: "answer";
    readonly topic: "name" | "number" | "unknown" | "place" | "refuel" | "plan";
  }
  | { readonly kind: "consent" }
  | { readonly kind: "more" }
  | { readonly kind: "transfer" };

const SWITCHES: readonly Topic[] = [
  "airplane",
  "data",
  "roaming",
  "saver",
  "wifi",
  "calling",
  "vpn",
];

/**
 * Returns the requests and questions in a message, in order and without repetitions. If the message announces a
 * transfer to a human, returns only the transfer.
 */
export function hearPhone(message: string): Heard[] {
  const heard: Heard[] = [];
  const text = plain(message);
  if (/\btransferred to a human\b/.test(text)) return [{ kind: "transfer" }];
  let last: Topic | undefined;
  const offered = new Set<"refuel" | "plan">();
  for (const sentence of text.split(/[.!;:\n](?=\s|$)|(?<=\?)/)) {
    const isQuestion = sentence.endsWith("?");
    const words = wordsOf(sentence);
    const clauses = clausesOf(words, last);
    const asks = isQuestion || hasAny(words, ASKS) || hasAny(words, CHECKS);
    for (const clause of clauses) {
      heard.push(...readClause(clause, { asks, isQuestion }));
      last = clause.topics.at(-1) ?? last;
      for (const topic of clause.topics) {
        if (topic === "refuel" || topic === "plan") offered.add(topic);
      }
    }
    if (!isQuestion || clauses.some(({ topics }) => topics.length > 0)) {
      continue;
    }
    if (hasAny(words, CHOICE) && offered.size > 0) {
      heard.push(
        ...[...offered].map((topic) => ({ kind: "answer", topic }) as const),
      );
    } else if (hasAny(words, CONSENT)) heard.push({ kind: "consent" });
  }
  return withoutRepeats(heard);
}

function readClause(
  { words, topics }: Clause,
  asking: Omit<Reading, "words">,
): Heard[] {
  const { isQuestion } = asking;
  if (words.includes("dont") || words.includes("not") && !isQuestion) return [];
  const isOfAgent = hasAny(words, ["i", "we", "ill", "ive", "weve", "well"]) &&
    !hasAny(words, ["you", "your", "me"]);
  if (isOfAgent && !isQuestion) return [];
  return topics.flatMap((topic) =>
    readTopic(topic, { words, ...asking }) ?? []
  );
}

interface Reading {
  readonly words: readonly string[];
  readonly asks: boolean;
  readonly isQuestion: boolean;
}

function readTopic(topic: Topic, reading: Reading): Heard | undefined {
  const { words, asks, isQuestion } = reading;
  switch (topic) {
    case "more":
      return { kind: "more" };
    case "name":
    case "number":
    case "unknown":
    case "place":
    case "refuel":
    case "plan":
      return asks ? { kind: "answer", topic } : undefined;
    case "reboot":
      return { kind: "do", topic };
    case "payment":
      return readPayment(words, isQuestion);
    case "sim":
      return hasAny(words, RESEATS)
        ? { kind: "do", topic }
        : checkOf(topic, reading);
    case "apn":
      return hasAny(words, ["reset", "restore", "default"])
        ? { kind: "do", topic }
        : checkOf(topic, reading);
    case "mode":
      return hasAny(words, ["set", "change", "switch", "choose", "select"])
        ? { kind: "mode", mode: modeIn(words) }
        : checkOf(topic, reading);
    case "permissions":
      return readPermissions(words, reading);
    default:
      return isSwitch(topic)
        ? readSwitch(topic, reading)
        : checkOf(topic, reading);
  }
}

const RESEATS =
  "reseat reseating seat seating remove removing reinsert insert inserting take eject"
    .split(" ");

function isSwitch(topic: Topic): topic is Switch {
  return SWITCHES.includes(topic);
}

function readSwitch(topic: Switch, reading: Reading): Heard | undefined {
  const { words } = reading;
  if (!hasAny(words, ACTS)) return checkOf(topic, reading);
  const wantsOff = hasAny(words, OFF);
  if (wantsOff || hasAny(words, ON)) {
    return { kind: "turn", topic, on: !wantsOff };
  }
  return words.includes("toggle")
    ? { kind: "flip", topic }
    : checkOf(topic, reading);
}

function checkOf(
  topic: PhoneTopic,
  { words, asks }: Reading,
): Heard | undefined {
  if (!asks) return undefined;
  return topic === "status" ? { kind: "check", topic, app: appIn(words) } : {
    kind: "check",
    topic,
  };
}

function readPayment(
  words: readonly string[],
  isQuestion: boolean,
): Heard | undefined {
  if (hasAny(words, ["pay", "make", "accept", "complete"])) {
    return { kind: "do", topic: "payment" };
  }
  if (!isQuestion && !hasAny(words, ["check", "look", "see", "open", "view"])) {
    return undefined;
  }
  return { kind: "check", topic: "payment" };
}

function readPermissions(
  words: readonly string[],
  reading: Reading,
): Heard | undefined {
  const app = appIn(words);
  if (hasAny(words, GRANTS)) {
    return {
      kind: "grant",
      app,
      permissions: PERMISSIONS.filter((one) => words.includes(one)),
    };
  }
  const check = checkOf("permissions", reading);
  return check && { kind: "check", topic: "permissions", app };
}

/**
 * The permissions that a request can mention. The permission `phone` is omitted because the word occurs in most
 * messages.
 */
const PERMISSIONS = ["sms", "storage", "network"];

function appIn(words: readonly string[]): string {
  return words.includes("browser") ? "browser" : "messaging";
}

/**
 * Returns the network mode that the words mention, or `undefined` if they mention none. If the words after the last
 * `to` mention a network, as in `from 2g to 5g`, the words before it are ignored.
 */
function modeIn(words: readonly string[]): string | undefined {
  const rest = words.slice(words.lastIndexOf("to") + 1);
  const named = rest.some((word) => word in ONLY || word === "5g")
    ? rest
    : words;
  if (named.includes("5g")) return "4g_5g_preferred";
  const only = named.find((word) => word in ONLY);
  return only === undefined ? undefined : ONLY[only];
}

const ONLY: Readonly<Record<string, string>> = {
  "4g": "4g_only",
  lte: "4g_only",
  "3g": "3g_only",
  "2g": "2g_only",
};

/** Returns the requests without repetitions of earlier requests. */
function withoutRepeats(heard: readonly Heard[]): Heard[] {
  const seen = new Set<string>();
  return heard.filter((one) => {
    const key = JSON.stringify(one);
    return !seen.has(key) && seen.add(key);
  });
}
