// Saves a voice and loads it, each time onto a stage of its own, and prints what the one says next,
// and what the others do, a line each.
//
//   saves MODEL VECTORS FOLDER
using System;
using System.IO;
using System.Text;
using Llamood;

internal static class Saves
{
    private static Stage Opened(Model model)
    {
        return new Stage(model, new StageSettings { Voices = 1, Context = 256, Batch = 64, Threads = 1 });
    }

    private static string Said(Stage stage, int voice, string text)
    {
        stage.Say(voice, text);
        while (stage.Step()) { }
        var tokens = new StringBuilder();
        VoiceEvent said;
        while (stage.Poll(out said)) tokens.Append(said.Token).Append(' ').Append(said.Mood[0]).Append(' ');
        return tokens.ToString();
    }

    private static void Refused(Action action)
    {
        try { action(); }
        catch (LlamoodException refused)
        {
            Console.WriteLine(refused.Message);
            return;
        }
        Console.WriteLine("not refused");
    }

    private static int Main(string[] arguments)
    {
        Library.SilenceLog();
        string with = Path.Combine(arguments[2], "é"), without = Path.Combine(arguments[2], "without");
        using (var model = new Model(arguments[0], arguments[1]))
        {
            using (var stage = Opened(model))
            using (var slow = Mood.Parse("{\"" + model.Emotions[0] + "\": 1, \"$inertia\": 20}"))
            {
                int voice = stage.Join("Be brief.", slow, new Sampling { Temperature = 0.7f, Seed = 4, MaxTokens = 30 });
                Said(stage, voice, "Tell me about bread.");
                stage.Save(voice, with, true);
                stage.Save(voice, without);
                Refused(() => stage.Save(voice, Path.Combine(arguments[2], "no", "folder")));
                Refused(() => stage.Load(without)); // there is no room
                Console.WriteLine(Said(stage, voice, "Tell me about the kettle."));
            }
            foreach (string path in new[] { with, without })
            {
                using (var stage = Opened(model))
                    Console.WriteLine(Said(stage, stage.Load(path), "Tell me about the kettle."));
            }
        }
        return 0;
    }
}
