/** Removes secrets such as API keys from messages. */

/** Matches the API keys of common providers. */
const KEY_LIKE = /\b(?:sk-|AIza)[\w-]{16,}/g;

/**
 * Replaces the given secrets, and the API keys of common providers, in `text` with `[key]`. Secrets of fewer than 6
 * characters are not replaced, since they could match ordinary words. Redact text before truncating it, so that no
 * secret is cut in half.
 */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce((rest, secret) => rest.replaceAll(secret, "[key]"), text)
    .replace(KEY_LIKE, "[key]");
}

/**
 * Maximum number of characters to redact. It is far larger than any quotation, so no secret within a quotation is cut
 * in half.
 */
const MAX_READ = 65_536;

/**
 * Redacts and truncates a server's text for use in an error message.
 * @param options.maxLength The maximum number of characters of the result. Default: 500.
 */
export function quoted(
  text: string,
  secrets: readonly string[],
  { maxLength = 500 }: { readonly maxLength?: number } = {},
): string {
  return redact(text.slice(0, MAX_READ), secrets).slice(0, maxLength);
}
