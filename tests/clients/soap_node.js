// The npm package "soap". URL OPERATION JSON-OF-PARAMETERS; prints the call id.
const soap = require('soap');
const [url, operation, json] = process.argv.slice(2);
soap.createClientAsync(url + '?wsdl')
  .then((client) => client[operation + 'Async'](JSON.parse(json)))
  .then(([answer]) => { const told = answer.return || answer; console.log(String(told.id.$value ?? told.id)); })
  .catch((error) => { console.log('fault: ' + error.message); process.exit(1); });
