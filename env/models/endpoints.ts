/**
 * Where models answer: presets of providers whose API is OpenAI's or compatible, and how a base URL and a key
 * are found.
 */

import { ConfigError } from "../errors.ts";

/** Providers that there is a preset of. */
export type Provider =
  | "openai"
  | "gemini"
  | "openrouter"
  | "sglang"
  | "vllm"
  | "ollama";

/** What is particular to a provider. */
interface Preset {
  readonly baseUrl: string;
  /** The variable that holds the key; local servers need none. */
  readonly keyVariable?: string;
  /** How the body says how many tokens an answer may have. */
  readonly maxTokensField: "max_completion_tokens" | "max_tokens";
  /** Whether the server takes `seed`. */
  readonly takesSeed: boolean;
}

const PRESETS: Readonly<Record<Provider, Preset>> = {
  openai: {
    baseUrl: "https://api.openai.com/v1",
    keyVariable: "OPENAI_API_KEY",
    maxTokensField: "max_completion_tokens",
    takesSeed: true,
  },
  gemini: {
    baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    keyVariable: "GEMINI_API_KEY",
    maxTokensField: "max_tokens",
    takesSeed: false,
  },
  openrouter: {
    baseUrl: "https://openrouter.ai/api/v1",
    keyVariable: "OPENROUTER_API_KEY",
    maxTokensField: "max_tokens",
    takesSeed: true,
  },
  sglang: local("http://127.0.0.1:30000/v1"),
  vllm: local("http://127.0.0.1:8000/v1"),
  ollama: local("http://127.0.0.1:11434/v1"),
};

/** All of them. */
export const PROVIDERS = Object.keys(PRESETS) as [Provider, ...Provider[]];

/** The first that is set is the base URL of the provider openai. */
const BASE_URL_VARIABLES = ["OPENAI_BASE_URL", "OPENAI_API_BASE"];

/** An endpoint that calls can be made to. */
export interface Endpoint {
  readonly provider: Provider;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The variable that the key is looked up in; local servers have none. */
  readonly keyVariable?: string | undefined;
  readonly maxTokensField: Preset["maxTokensField"];
  readonly takesSeed: boolean;
}

/** What {@linkcode resolveEndpoint} goes by. */
export interface EndpointOptions {
  readonly provider: Provider;
  /** Stronger than the environment. */
  readonly baseUrl?: string | null;
  /** Reads a variable of the environment. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
}

/**
 * Finds base URL and key: the given URL, else `OPENAI_BASE_URL`, else `OPENAI_API_BASE` (both for the provider
 * openai, as its own clients and litellm have it), else the preset's. Keys come from the environment only; a
 * server that is not the provider's own needs none.
 * @throws {ConfigError} If the URL is none, or the provider's key is not set.
 */
export function resolveEndpoint(options: EndpointOptions): Endpoint {
  const { provider, env = (name) => Deno.env.get(name) } = options;
  const preset = PRESETS[provider];
  const given = options.baseUrl ||
    (provider === "openai"
      ? BASE_URL_VARIABLES.map(env).find(Boolean)
      : undefined);
  const baseUrl = checkedUrl(given || preset.baseUrl);
  const isOwn = baseUrl === preset.baseUrl;
  const key = preset.keyVariable === undefined
    ? undefined
    : env(preset.keyVariable);
  if (!key && isOwn && preset.keyVariable !== undefined) {
    throw new ConfigError(
      `No key for ${provider}`,
      {
        hint:
          `set ${preset.keyVariable}, or name another endpoint by its base URL${
            otherServer(provider, env)
          }`,
      },
    );
  }
  return {
    provider,
    baseUrl,
    apiKey: key || "none",
    keyVariable: preset.keyVariable,
    // Servers of one's own know the older name; it is openai's new models that insist on the new one.
    maxTokensField: isOwn ? preset.maxTokensField : "max_tokens",
    takesSeed: preset.takesSeed,
  };
}

/** The variables of the environment that calls to a provider read: that of its key, and those of its base URL. */
export function endpointVariables(provider: Provider): string[] {
  const { keyVariable } = PRESETS[provider];
  return [
    ...(keyVariable === undefined ? [] : [keyVariable]),
    ...(provider === "openai" ? BASE_URL_VARIABLES : []),
  ];
}

/** Someone who named a server of their own may not know that another provider is asked. */
function otherServer(
  provider: Provider,
  env: (name: string) => string | undefined,
): string {
  const set = BASE_URL_VARIABLES.find((name) => env(name));
  return set === undefined || provider === "openai"
    ? ""
    : `; ${set} is set, and counts for the provider openai only: choose that`;
}

/** Names of files end at 255 bytes, and this is a part of one. */
const MAX_NAME_LENGTH = 100;

/** A model's name as part of a file name: `Qwen/Qwen3-4B` is `Qwen-Qwen3-4B`. */
export function fileNameOf(model: string): string {
  const name = model.replace(/[^\w.-]+/g, "-").slice(0, MAX_NAME_LENGTH);
  return name.replace(/^[-.]+|(?<![-.])[-.]+$/g, "") || "model";
}

function local(baseUrl: string): Preset {
  return { baseUrl, maxTokensField: "max_tokens", takesSeed: true };
}

/** @throws {ConfigError} If it is none, or holds what has no place in it. Never quotes a password. */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      `"${text}" is no base URL of an endpoint`,
      { hint: "write it like http://127.0.0.1:30000/v1" },
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigError(
      `The base URL at ${url.host} holds a user or a password, which would be written into records`,
      { hint: "give the key by its variable" },
    );
  }
  const path = text.replace(/(?<!\/)\/+$/, "");
  const base = path.replace(/\/chat\/completions$/, "");
  if (base === path) return path;
  throw new ConfigError(
    `"${text}" is the address of chat completions, not a base URL`,
    { hint: `write ${base}` },
  );
}
