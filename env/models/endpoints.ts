/** Resolves model endpoints: presets of providers with an OpenAI-compatible API, base URLs and keys. */

import { ConfigError } from "../errors.ts";

/** A provider with a preset. */
export type Provider =
  | "openai"
  | "gemini"
  | "openrouter"
  | "sglang"
  | "vllm"
  | "ollama";

/** Provider-specific settings. */
interface Preset {
  readonly baseUrl: string;
  /** The environment variable that holds the key, or `undefined` for local servers, which need no key. */
  readonly keyVariable?: string;
  /** The request field that limits the tokens of an answer. */
  readonly maxTokensField: "max_completion_tokens" | "max_tokens";
  /** Whether the server accepts `seed`. */
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

/** All providers. */
export const PROVIDERS = Object.keys(PRESETS) as [Provider, ...Provider[]];

/** Environment variables with the base URL of the provider `openai`; the first that is set is used. */
const BASE_URL_VARIABLES = ["OPENAI_BASE_URL", "OPENAI_API_BASE"];

/** A resolved endpoint, ready for calls. */
export interface Endpoint {
  readonly provider: Provider;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The environment variable that the key was read from, or `undefined` for local servers. */
  readonly keyVariable?: string | undefined;
  readonly maxTokensField: Preset["maxTokensField"];
  readonly takesSeed: boolean;
}

/** Options of {@linkcode resolveEndpoint}. */
export interface EndpointOptions {
  readonly provider: Provider;
  /** Overrides the environment. */
  readonly baseUrl?: string | null;
  /** Reads an environment variable. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
}

/**
 * Resolves the base URL and the key of an endpoint. The base URL is the given one, else `OPENAI_BASE_URL`, else
 * `OPENAI_API_BASE` (both for the provider `openai` only, as in openai's clients and litellm), else the preset's. Keys
 * are read only from the environment; a server other than the provider's own needs none.
 * @throws {ConfigError} If the URL is invalid, or the provider's key is not set.
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
          `set ${preset.keyVariable}, or pass the base URL of another endpoint${
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
    // Self-hosted servers know the older name; only openai's newer models require the new one.
    maxTokensField: isOwn ? preset.maxTokensField : "max_tokens",
    takesSeed: preset.takesSeed,
  };
}

/** Lists the environment variables that calls to a provider read: those for its key and its base URL. */
export function endpointVariables(provider: Provider): string[] {
  const { keyVariable } = PRESETS[provider];
  return [
    ...(keyVariable === undefined ? [] : [keyVariable]),
    ...(provider === "openai" ? BASE_URL_VARIABLES : []),
  ];
}

/** Returns the part of a hint for people who set a base URL, but chose a provider that ignores it. */
function otherServer(
  provider: Provider,
  env: (name: string) => string | undefined,
): string {
  const set = BASE_URL_VARIABLES.find((name) => env(name));
  return set === undefined || provider === "openai"
    ? ""
    : `; ${set} is set, but applies only to the provider openai: choose that`;
}

/** Maximum length of a model name in a file name, which keeps file names below the usual limit of 255 bytes. */
const MAX_NAME_LENGTH = 100;

/** Converts a model name to a part of a file name: `Qwen/Qwen3-4B` becomes `Qwen-Qwen3-4B`. */
export function fileNameOf(model: string): string {
  const name = model.replace(/[^\w.-]+/g, "-").slice(0, MAX_NAME_LENGTH);
  return name.replace(/^[-.]+|(?<![-.])[-.]+$/g, "") || "model";
}

function local(baseUrl: string): Preset {
  return { baseUrl, maxTokensField: "max_tokens", takesSeed: true };
}

/**
 * Normalizes a base URL. Errors never quote a password.
 * @throws {ConfigError} If the text is not a base URL, or contains credentials.
 */
function checkedUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      `"${text}" is not the base URL of an endpoint`,
      { hint: "pass a URL such as http://127.0.0.1:30000/v1" },
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigError(
      `The base URL at ${url.host} contains a user name or password, which would be written to records`,
      { hint: "remove it, and set the key's environment variable" },
    );
  }
  const path = text.replace(/(?<!\/)\/+$/, "");
  const base = path.replace(/\/chat\/completions$/, "");
  if (base === path) return path;
  throw new ConfigError(
    `"${text}" is the URL of chat completions, not a base URL`,
    { hint: `pass ${base}` },
  );
}
