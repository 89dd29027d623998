/** Whether a PromQL expression can be one, without a server of Prometheus: its structure, not its meaning. */

const functions = new Set(
  'rate increase sum by on and unless histogram_quantile time predict_linear up le'.split(' '),
);

/** What of a PromQL expression cannot be: brackets, words that are no function, a comparison without a side. */
export function troublesOf(expr: string): string[] {
  const troubles: string[] = [];
  const open: string[] = [];
  const bare = expr.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const pairs: Record<string, string> = { ')': '(', ']': '[', '}': '{' };
  for (const sign of bare.match(/[()[\]{}]/g) ?? []) {
    if (!(sign in pairs)) open.push(sign);
    else if (open.pop() !== pairs[sign]) troubles.push(`an odd ${sign}`);
  }
  if (open.length > 0) troubles.push(`${open.join('')} is left open`);
  for (const [, inside] of bare.matchAll(/\{([^}]*)\}/g)) {
    for (const matcher of inside!.split(','))
      if (!/^\s*\w+\s*(=|!=|=~|!~)\s*""\s*$/.test(matcher)) troubles.push(`no matcher: ${matcher}`);
  }
  for (const [, range] of bare.matchAll(/\[([^\]]*)\]/g))
    if (!/^\d+[smhd]$/.test(range!)) troubles.push(`no range: ${range}`);
  const words = bare.replace(/\{[^}]*\}|\[[^\]]*\]|\b(by|on) *\([^)]*\)/g, ' ');
  for (const word of words.match(/[a-z_]\w*/gi) ?? [])
    if (!functions.has(word) && !word.startsWith('hiphop_')) troubles.push(`unknown: ${word}`);
  for (const [call] of words.matchAll(/\b(rate|increase|predict_linear)\b(?! *\()/g))
    troubles.push(`no call: ${call}`);
  // A range wants a function of ranges before its selector.
  for (const [selector] of bare.matchAll(/\w+(?:\{[^}]*\})?\[/g)) {
    const before = bare.slice(0, bare.indexOf(selector));
    if (!/(rate|increase|predict_linear) *\($/.test(before)) troubles.push(`a range of nothing: ${selector}`);
  }
  if (/[-+*/<>=]\s*$|^\s*[*/<>=]|(and|unless|==|>)\s*(and|unless|==|>|\))/.test(bare))
    troubles.push('a side is missing');
  return troubles;
}
