/** Removes secrets from messages. */

/** Pattern of common provider keys. */
const KEY_LIKE = /\b(?:sk-|AIza)[\w-]{16,}/g;

/**
 * Replaces the secrets in `text`. Short secrets are kept, since they could match ordinary words. Redact before
 * truncating.
 */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce((rest, secret) => rest.replaceAll(secret, "[key]"), text)
    .replace(KEY_LIKE, "[key]");
}

/** Maximum number of characters to read: far more than are quoted, so that no secret is cut in half. */
const MAX_READ = 65_536;

/** Formats a server's text for an error message: redacted and shortened. */
export function quoted(
  text: string,
  secrets: readonly string[],
  { maxLength = 500 }: { readonly maxLength?: number } = {},
): string {
  return redact(text.slice(0, MAX_READ), secrets).slice(0, maxLength);
}
