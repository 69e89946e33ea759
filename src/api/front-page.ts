/** A page that says where to go. `origin` is the address at which the browser asked. */
export function frontPage(origin: string): string {
  const url = escapeHtml(origin)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 10vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; }
pre { padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8886; border-radius: 6px; }
li { margin: .3rem 0; }
</style>
</head>
<body>
<h1>Millrace is running</h1>
<p>Its dashboard was not built: <code>npm ci &amp;&amp; npm start</code> in a checkout does that.</p>
<p>Submit a task:</p>
<pre>curl -s ${url}/tasks -H 'content-type: application/json' -d '{"payload":"hello"}'</pre>
<p>Then look at it:</p>
<ul>
<li><a href="../tasks">/tasks</a>: the newest tasks</li>
<li><a href="../stats">/stats</a>: counts, rates and queues</li>
<li><a href="../workers">/workers</a>: who is working</li>
<li><a href="../docs/">/docs</a>: every route, to read and to try (<a href="../openapi.json">OpenAPI</a>)</li>
</ul>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
