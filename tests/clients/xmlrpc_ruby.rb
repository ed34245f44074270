# Ruby's XMLRPC::Client. URL MODE OPERATION JSON-OF-PARAMETERS; modes: position, struct. Prints the call id.
require 'json'
require 'xmlrpc/client'
url, mode, operation, json = ARGV
fields = JSON.parse(json)
arguments = mode == 'struct' ? [fields] : fields.values
puts XMLRPC::Client.new2(url).call(operation, *arguments)['id']
