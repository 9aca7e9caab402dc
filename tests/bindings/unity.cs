// A stand-in for the few parts of UnityEngine that the script of docs/games.md uses.
using System;
using System.Reflection;
using System.Threading;

namespace UnityEngine
{
    public class MonoBehaviour { }

    public static class Application
    {
        public static string streamingAssetsPath;
    }

    public static class Debug
    {
        public static int Lines;
        public static void Log(object said) { ++Lines; Console.WriteLine(said); }
    }

    internal static class Player
    {
        private static void Main(string[] arguments)
        {
            Application.streamingAssetsPath = arguments[0];
            var script = new global::Talker();
            Send(script, "Start");
            for (; Debug.Lines == 0; Thread.Sleep(16)) Send(script, "Update");
            Send(script, "OnDestroy");
        }

        private static void Send(object script, string message)
        {
            const BindingFlags own = BindingFlags.Instance | BindingFlags.NonPublic;
            script.GetType().GetMethod(message, own).Invoke(script, null);
        }
    }
}
