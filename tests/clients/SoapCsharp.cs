// .NET Framework's Web References, as wsdl.exe makes them. URL MODE OPERATION NAME=VALUE...; prints the call id.
// Modes: encoded, literal. mcs -r:System.Web.Services.dll SoapCsharp.cs
using System;
using System.Linq;
using System.Web.Services;
using System.Web.Services.Protocols;
using System.Xml.Serialization;

[SoapType("Retorno", "urn:WConnect")]
public class Retorno { public string status; public string mensagem; public long id; }

[WebServiceBinding("WConnectBinding", "urn:WConnect")]
public class Encoded : SoapHttpClientProtocol
{
    const string Namespace = "urn:WConnect";

    [SoapRpcMethod("urn:WConnect#ConsultaRamal", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: SoapElement("return")]
    public Retorno ConsultaRamal(string ramal, string telefone)
    { return (Retorno)Invoke("ConsultaRamal", new object[] { ramal, telefone })[0]; }

    [SoapRpcMethod("urn:WConnect#FinalizaLigacao", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: SoapElement("return")]
    public Retorno FinalizaLigacao(string ramal, string telefone, string url_audio)
    { return (Retorno)Invoke("FinalizaLigacao", new object[] { ramal, telefone, url_audio })[0]; }

    [SoapRpcMethod("urn:WConnect#ClickToCall", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: SoapElement("return")]
    public Retorno ClickToCall(string ramal, string telefone)
    { return (Retorno)Invoke("ClickToCall", new object[] { ramal, telefone })[0]; }

    [SoapRpcMethod("urn:WConnect#Teste", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: SoapElement("return")]
    public Retorno Teste() { return (Retorno)Invoke("Teste", new object[0])[0]; }
}

[WebServiceBinding("CtiGateway", "urn:cti-gateway:wconnect:1")]
public class Literal : SoapHttpClientProtocol
{
    const string Namespace = "urn:cti-gateway:wconnect:1";

    Retorno Call(string operation, params object[] values)
    {
        var answer = Invoke(operation, values);
        return new Retorno { status = (string)answer[0], mensagem = (string)answer[1], id = (long)answer[2] };
    }

    [SoapDocumentMethod(Namespace + "#ConsultaRamal", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: XmlElement("status")]
    public string ConsultaRamal(string ramal, string telefone, out string mensagem, out long id)
    { var got = Call("ConsultaRamal", ramal, telefone); mensagem = got.mensagem; id = got.id; return got.status; }

    [SoapDocumentMethod(Namespace + "#FinalizaLigacao", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: XmlElement("status")]
    public string FinalizaLigacao(string ramal, string telefone, string url_audio, out string mensagem, out long id)
    {
        var got = Call("FinalizaLigacao", ramal, telefone, url_audio);
        mensagem = got.mensagem; id = got.id; return got.status;
    }

    [SoapDocumentMethod(Namespace + "#ClickToCall", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: XmlElement("status")]
    public string ClickToCall(string ramal, string telefone, out string mensagem, out long id)
    { var got = Call("ClickToCall", ramal, telefone); mensagem = got.mensagem; id = got.id; return got.status; }

    [SoapDocumentMethod(Namespace + "#Teste", RequestNamespace = Namespace, ResponseNamespace = Namespace)]
    [return: XmlElement("status")]
    public string Teste(out string mensagem, out long id)
    { var got = Call("Teste"); mensagem = got.mensagem; id = got.id; return got.status; }
}

static class SoapCsharp
{
    static void Main(string[] given)
    {
        SoapHttpClientProtocol client = given[1] == "encoded" ? (SoapHttpClientProtocol)new Encoded() : new Literal();
        client.Url = given[0];
        var method = client.GetType().GetMethod(given[2]);
        var values = given.Skip(3).Select(pair => (object)pair.Substring(pair.IndexOf('=') + 1)).ToList();
        while (values.Count < method.GetParameters().Length) values.Add(null);
        var arguments = values.ToArray();
        try
        {
            var answer = method.Invoke(client, arguments) as Retorno;
            Console.WriteLine(answer == null ? arguments[arguments.Length - 1] : answer.id);
        }
        catch (System.Reflection.TargetInvocationException error)
        {
            Console.WriteLine("fault: " + error.InnerException.Message);
            Environment.Exit(1);
        }
    }
}
