// Before anything is drawn: a page that is dark does not flash in white. theme.ts changes it later.
try {
  document.documentElement.dataset.theme = localStorage.getItem('theme') ?? 'system';
} catch {
  // Where nothing may be kept the system's theme stands.
}
