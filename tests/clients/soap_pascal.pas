{ Free Pascal's HTTP client. URL OPERATION NAME=VALUE...; prints the call id. fpc soap_pascal.pas }
program soap_pascal;
{$MODE DELPHI}

uses Classes, SysUtils, fphttpclient, DOM, XMLRead;

const
  Envelope = '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    + ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    + '<e:Body><w:%s xmlns:w="urn:WConnect">%s</w:%0:s></e:Body></e:Envelope>';

function Part(const Pair: string): string;
var
  Name, Text: string;
begin
  Name := Copy(Pair, 1, Pos('=', Pair) - 1);
  Text := StringReplace(Copy(Pair, Pos('=', Pair) + 1, MaxInt), '&', '&amp;', [rfReplaceAll]);
  Text := StringReplace(Text, '<', '&lt;', [rfReplaceAll]);
  Result := Format('<%s xsi:type="xsd:string">%s</%0:s>', [Name, Text]);
end;

var
  Http: TFPHTTPClient;
  Answer: TMemoryStream;
  Document: TXMLDocument;
  Parts: string;
  I: Integer;
begin
  Parts := '';
  for I := 3 to ParamCount do
    Parts := Parts + Part(ParamStr(I));
  Answer := TMemoryStream.Create;
  Http := TFPHTTPClient.Create(nil);
  Http.AddHeader('Content-Type', 'text/xml');
  Http.AddHeader('SOAPAction', '"urn:WConnect#' + ParamStr(2) + '"');
  Http.RequestBody := TStringStream.Create(Format(Envelope, [ParamStr(2), Parts]));
  Http.HTTPMethod('POST', ParamStr(1), Answer, [200, 500]);
  Answer.Position := 0;
  ReadXMLFile(Document, Answer);
  if Http.ResponseStatusCode = 500 then
  begin
    WriteLn('fault: ', Document.GetElementsByTagName('faultstring')[0].TextContent);
    Halt(1);
  end;
  WriteLn(Document.GetElementsByTagName('id')[0].TextContent);
end.
