/**
 * The topics of messages about a phone, and the phrases that mention them. Phrases contain no hyphens or punctuation,
 * because these characters are removed from messages.
 */

/** An on/off switch on the phone. */
export type Switch =
  | "airplane"
  | "data"
  | "roaming"
  | "saver"
  | "wifi"
  | "calling"
  | "vpn";

/** A topic of a message that concerns the phone. */
export type PhoneTopic =
  | Switch
  | "bar"
  | "network"
  | "mode"
  | "sim"
  | "apn"
  | "apps"
  | "status"
  | "permissions"
  | "speed"
  | "mms"
  | "reboot"
  | "payment";

/** A topic of a message that does not concern the phone. */
export type TalkTopic =
  | "name"
  | "number"
  | "unknown"
  | "place"
  | "refuel"
  | "plan"
  | "more";

/** A topic of a message. */
export type Topic = PhoneTopic | TalkTopic;

/**
 * The phrases that mention each topic. If phrases overlap in a message, the one that starts first counts or, if they
 * start at the same word, the longest.
 */
const PHRASES: Readonly<Record<Topic, readonly string[]>> = {
  airplane: ["airplane mode", "airplane", "aeroplane mode", "flight mode"],
  data: [
    "mobile data",
    "cellular data",
    "data connection",
    "toggle data",
    "mobile data connection",
  ],
  roaming: ["data roaming", "roaming", "international roaming"],
  saver: [
    "data saver",
    "data saver mode",
    "data saving",
    "data restriction",
    "data restrictions",
    "data restriction status",
    "data restriction settings",
    "limiting your data",
    "restricting your data",
  ],
  wifi: ["wi fi", "wifi"],
  calling: ["wi fi calling", "wifi calling", "calls over wi fi"],
  vpn: ["vpn", "virtual private network"],
  bar: [
    "status bar",
    "top of your screen",
    "top of the screen",
    "signal",
    "signal strength",
    "signal bars",
    "have service",
    "service again",
    "service back",
    "service restored",
    "service is restored",
  ],
  network: [
    "network status",
    "connection status",
    "network connection",
    "cellular connection",
    "network settings",
    "connected to the cellular network",
    "connection to the cellular network",
  ],
  mode: [
    "network mode",
    "network mode preference",
    "network preference",
    "network preferences",
    "preferred network",
    "preferred network mode",
    "preferred network type",
    "preferred mode",
    "network your phone prefers",
    "cellular network your phone prefers",
  ],
  sim: ["sim", "sim card", "sim status", "sim card status"],
  apn: [
    "apn",
    "apn settings",
    "apns",
    "access point name",
    "access point names",
    "mmsc",
    "mmsc url",
  ],
  apps: ["installed apps", "which apps", "what apps", "list of apps"],
  status: ["app status", "status of the app", "status of the messaging app"],
  permissions: [
    "permission",
    "permissions",
    "app permission",
    "app permissions",
  ],
  speed: [
    "speed test",
    "speedtest",
    "internet speed",
    "download speed",
    "connection speed",
    "how fast",
  ],
  mms: [
    "mms",
    "mms message",
    "mms messages",
    "picture message",
    "picture messages",
    "multimedia message",
    "send a picture",
    "send a photo",
    "send pictures",
  ],
  reboot: ["reboot", "reboot device", "restart", "power cycle"],
  payment: [
    "payment",
    "payment request",
    "payment requests",
    "make payment",
    "pay",
    "bill",
  ],
  name: ["your name", "full name", "your full name", "who you are"],
  number: [
    "phone number",
    "your number",
    "mobile number",
    "line number",
    "number of your line",
  ],
  unknown: [
    "date of birth",
    "birth date",
    "customer id",
    "account id",
    "email",
  ],
  place: [
    "abroad",
    "travel",
    "travelling",
    "traveling",
    "outside",
    "your location",
    "where are you",
    "which country",
    "what country",
    "home network",
    "overseas",
  ],
  refuel: [
    "refuel",
    "refueling",
    "refuelling",
    "data refuel",
    "more data",
    "add data",
    "extra data",
    "additional data",
    "top up",
    "buy data",
    "how much data",
    "how many gb",
    "data limit",
  ],
  plan: [
    "change plan",
    "change your plan",
    "change plans",
    "change the plan",
    "different plan",
    "another plan",
    "other plan",
    "new plan",
    "bigger plan",
    "switch plans",
    "upgrade",
    "change to a plan",
  ],
  more: [
    "anything else",
    "something else",
    "any other",
    "resolved",
    "solved",
    "fixed",
    "working now",
    "works now",
    "working again",
    "all set",
    "how can i help",
    "how may i help",
    "what can i do for you",
  ],
};

/** A mention of a topic, with the index of its first word and the index after its last word. */
export interface Mention {
  readonly topic: Topic;
  readonly from: number;
  readonly to: number;
}

/** The phrases that start with each word, longest first. */
const BY_FIRST = new Map<string, { words: string[]; topic: Topic }[]>();
for (const [topic, phrases] of Object.entries(PHRASES) as [Topic, string[]][]) {
  for (const phrase of phrases) {
    const words = phrase.split(" ");
    const known = BY_FIRST.get(words[0] ?? "") ?? [];
    known.push({ words, topic });
    known.sort((a, b) => b.words.length - a.words.length);
    BY_FIRST.set(words[0] ?? "", known);
  }
}

/** Returns the mentions of topics in a list of words, from left to right. */
export function mentionsIn(words: readonly string[]): Mention[] {
  const mentions: Mention[] = [];
  for (let from = 0; from < words.length;) {
    const found = BY_FIRST.get(words[from] ?? "")?.find((phrase) =>
      phrase.words.every((word, i) => words[from + i] === word)
    );
    if (found === undefined) {
      from++;
      continue;
    }
    const to = from + found.words.length;
    mentions.push({ topic: found.topic, from, to });
    from = to;
  }
  return mentions;
}
