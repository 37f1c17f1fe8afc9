/** Keeps keys out of messages. */

/** What keys of providers look like, known or not. */
const KEY_LIKE = /\b(?:sk-|AIza)[\w-]{16,}/g;

/** `text` without the secrets; short ones are left, as they would blank out words. Redact before you cut. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce((rest, secret) => rest.replaceAll(secret, "[key]"), text)
    .replace(KEY_LIKE, "[key]");
}
