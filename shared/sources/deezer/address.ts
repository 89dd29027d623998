/**
 * Deezer signs the addresses of its previews (`?hdnea=exp=1732000000~acl=…~hmac=…`); they are good for
 * some minutes. `exp` is when they end, in seconds since 1970.
 */
const signature = /[?&]hdnea=(?:[^&#]*~)?exp=(\d{1,12})(?:~|&|#|$)/;
/** An address that ends this soon is no good any more: to fetch takes time too. In milliseconds. */
const margin = 5_000;

/** Whether an address has to be asked for again. Addresses of others never expire. */
export function hasExpired(address: string, now: number): boolean {
  const end = signature.exec(address)?.[1];
  return end !== undefined && Number(end) * 1_000 < now + margin;
}
