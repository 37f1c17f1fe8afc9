/**
 * The environment variable with the key of slime's router, where that demands one: read by episode servers and the
 * doctor, in no file, command line or log.
 *
 * @see slime pull request 2068: a bearer token of the router's `--api-key`.
 */
export const ROUTER_KEY = "TAULAB_ROUTER_KEY";
