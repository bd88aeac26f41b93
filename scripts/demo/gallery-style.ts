/** The look of the gallery: system fonts, no script, light or dark as the reader's system is. */
export const GALLERY_STYLE = `
:root {
  --paper: #f6f4ef; --card: #ffffff; --ink: #1d2125; --soft: #646b73; --line: #e2ded5; --accent: #b4512b; --good: #1f7a4d; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --card: #1c2024; --ink: #e8e6e1; --soft: #98a0a8; --line: #2c3237; --accent: #e58a63; --good: #63c893; --bad: #f28b82; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
header, main { max-width: 1240px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 48px; }
h1 { margin: 0; font-size: 34px; letter-spacing: -0.02em; }
h1 span { color: var(--accent); font-weight: 400; }
h2 { margin: 48px 0 16px; font-size: 13px; letter-spacing: 0.12em; text-transform: uppercase; color: var(--soft); }
p { margin: 0; }
.verdict { font-size: 20px; margin: 4px 0 20px; }
.good { color: var(--good); }
.bad, .wrong { color: var(--bad); }
dl { display: flex; flex-wrap: wrap; gap: 8px 36px; margin: 0; padding: 16px 0; border: solid var(--line); border-width: 1px 0; }
dt { font-size: 12px; color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 20px; }
figure, article { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
figure a { display: block; background: var(--line); }
figure img, .empty { display: block; width: 100%; height: 220px; object-fit: contain; }
figcaption, article { padding: 14px 16px 16px; }
.prompt { font-weight: 600; line-height: 1.35; }
.meta { display: flex; gap: 10px; margin-top: 6px; font-size: 13px; color: var(--soft); }
.meta b { color: var(--accent); font-weight: 500; }
.time { font-variant-numeric: tabular-nums; }
.meta .time { margin-left: auto; }
.hash { margin-top: 6px; font: 12px/1.4 ui-monospace, "SF Mono", Menlo, monospace; color: var(--soft); }
.chats { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 20px; }
.answer { margin-top: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin-bottom: 64px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; white-space: nowrap; }
th { text-align: left; font-weight: 500; color: var(--soft); }
th, td { padding: 7px 20px 7px 0; border-bottom: 1px solid var(--line); }
.id { font: 12px/1.4 ui-monospace, "SF Mono", Menlo, monospace; }
`;
