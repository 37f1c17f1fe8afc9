/**
 * Phrases a user's descriptions of what the phone shows. The sentences are short and in lower case. They stay close to
 * the phone's wording, but contain no icons.
 */

import { trim } from "../../../python/python_space.ts";
import type { Switch } from "./phone_topics.ts";

/** The everyday names of the switches. */
export const SWITCH_NAMES: Readonly<Record<Switch, string>> = {
  airplane: "airplane mode",
  data: "mobile data",
  roaming: "data roaming",
  saver: "data saver",
  wifi: "wi-fi",
  calling: "wi-fi calling",
  vpn: "vpn",
};

/** Describes the state of a switch: `airplane mode is on`. */
export function switchWords(name: Switch, isOn: boolean): string {
  return `${SWITCH_NAMES[name]} is ${isOn ? "on" : "off"}`;
}

/**
 * Returns the switch states that a text contains. The text is a tool result or a user's description of a tool result.
 */
export function switchesShown(shown: string): Map<Switch, boolean> {
  const found = new Map<Switch, boolean>();
  const text = shown.toLowerCase();
  for (const [name, words] of SHOWN) {
    const isOn = words.some((word) => text.includes(`${word} on`));
    if (isOn || words.some((word) => text.includes(`${word} off`))) {
      found.set(name, isOn);
    }
  }
  for (const [name, word] of YES_NO) {
    if (text.includes(`${word}: yes`)) found.set(name, true);
    if (text.includes(`${word}: no`)) found.set(name, false);
  }
  if (text.includes("while airplane mode is on")) found.delete("wifi");
  return found;
}

const SHOWN: readonly (readonly [Switch, readonly string[]])[] = [
  ["airplane", ["airplane mode:", "airplane mode is now", "airplane mode is"]],
  ["data", ["mobile data is now", "mobile data is"]],
  ["roaming", ["data roaming is now", "data roaming is"]],
  ["saver", ["data saver mode is now", "data saver mode is", "data saver is"]],
  ["wifi", ["wi-fi radio:", "wi-fi is now", "wi-fi is", "wi-fi is turned"]],
  ["calling", [
    "wi-fi calling is now",
    "wi-fi calling is currently turned",
    "wi-fi calling is",
  ]],
  ["vpn", ["vpn is", "vpn is turned"]],
];

const YES_NO: readonly (readonly [Switch, string])[] = [
  ["data", "mobile data enabled"],
  ["roaming", "data roaming enabled"],
];

/** Returns the user's description of a tool result. */
export function reportOf(tool: string, shown: string): string {
  const [first = "", ...rest] = shown.split("\n");
  switch (tool) {
    case "check_status_bar":
      return barWords(first);
    case "check_network_status":
      return networkWords([first, ...rest]);
    case "check_apn_settings":
      return sentences([first, rest[0] ?? ""]);
    case "check_app_status":
    case "check_app_permissions":
    case "check_vpn_status":
      return sentences([shown.replaceAll("\n", " ")]);
    default: {
      const bar = rest.find((line) => line.startsWith("Status Bar: "));
      const said = [first, ...rest].filter((line) => line !== bar);
      return [sentences(said), bar === undefined ? "" : barWords(bar)]
        .filter((text) => text !== "").join(" ");
    }
  }
}

/** Describes the status bar: `the status bar shows no signal, data disabled.` */
function barWords(line: string): string {
  const icons = line.slice(line.indexOf(":") + 1).split("|")
    .map((icon) => plainWords(icon))
    .filter((icon) => icon !== "" && !icon.endsWith("%"))
    .map((icon) => SIGNALS.includes(icon) ? `signal ${icon}` : icon);
  return `the status bar shows ${icons.join(", ")}.`;
}

const SIGNALS: readonly string[] = ["poor", "fair", "good", "excellent"];

/** Describes the network status: the switches, the SIM card and the connection. */
function networkWords(lines: readonly string[]): string {
  const values = new Map(lines.map((line) => {
    const [key = "", value = ""] = line.split(": ");
    return [key, value.toLowerCase()];
  }));
  const switches = [...switchesShown(lines.join("\n"))].map(([name, isOn]) =>
    `${switchWords(name, isOn)}.`
  );
  const connection = (values.get("Cellular Connection") ?? "")
    .replace("_", " ");
  const sim = (values.get("SIM Card Status") ?? "").replace("_", " by ");
  return [
    ...switches,
    `the sim card is ${sim}.`,
    `the network is ${connection}, type ${
      values.get("Cellular Network Type") ?? ""
    }, signal ${values.get("Cellular Signal") ?? ""}.`,
  ].join(" ");
}

/** Joins the phone's lines as sentences in the user's words. */
function sentences(lines: readonly string[]): string {
  return lines.map((line) => plainWords(line)).filter((line) => line !== "")
    .map((line) => /[.!?]$/.test(line) ? line : `${line}.`).join(" ");
}

/**
 * Rephrases the phone's text in the user's words: in lower case (except ids), without icons, and with `my` instead of
 * `your`.
 */
function plainWords(text: string): string {
  const words = text.replaceAll(/[^ -~]/g, "").split(" ").map((word) =>
    ID.test(word) ? word : word.toLowerCase()
  );
  return trim(words.join(" ").replaceAll("your ", "my "));
}

/** Matches ids. Their case is not changed. */
const ID = /^[A-Z]\d/;
