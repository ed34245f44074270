"""zeep on a simulator's WSDL, without any help from our adapters."""

from contextlib import contextmanager

import requests
import zeep

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
# zeep would download it: the WSDLs import it without a location.
SCHEMA = f"""<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="{ENCODING}">
  <attribute name="arrayType" type="string"/>
  <complexType name="Array"><sequence><any minOccurs="0" maxOccurs="unbounded" processContents="lax"/></sequence>
    <anyAttribute/></complexType>
  <complexType name="string"><simpleContent><extension base="string"/></simpleContent></complexType>
</schema>"""


class Offline(zeep.Transport):
    """Downloads nothing but what the simulator serves."""

    def load(self, url):
        return SCHEMA.encode() if url == ENCODING else super().load(url)


@contextmanager
def client(url, auth=None):
    with requests.Session() as session:
        session.auth = auth
        yield zeep.Client(url, transport=Offline(session=session, timeout=5, operation_timeout=5))
