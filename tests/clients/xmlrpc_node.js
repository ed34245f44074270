// The npm package "xmlrpc". URL OPERATION JSON-OF-PARAMETERS; prints the call id.
const xmlrpc = require('xmlrpc');
const [url, operation, json] = process.argv.slice(2);
xmlrpc.createClient(url).methodCall(operation, Object.values(JSON.parse(json)), (error, answer) => {
  if (error) { console.log('fault: ' + error.message); process.exit(1); }
  console.log(String(answer.id));
});
