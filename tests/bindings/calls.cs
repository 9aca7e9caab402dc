// Calls all of Llamood.cs but what saves and loads (saves.cs), and prints the events of one scene, a line each.
//
//   calls MODEL VECTORS PERSONALITY
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using Llamood;

internal static class Calls
{
    private const string Said = "Tell me about bread. ";

    private static void Require(bool isSo, string what)
    {
        if (isSo) return;
        Console.WriteLine("not so: " + what);
        Environment.Exit(1);
    }

    private static void Refused<T>(string part, Action action) where T : Exception
    {
        try { action(); }
        catch (T refused)
        {
            Require(refused.Message.Contains(part), part + " in: " + refused.Message);
            return;
        }
        Require(false, "a refusal with " + part);
    }

    private static string Number(float value) { return value.ToString("R", CultureInfo.InvariantCulture); }

    private static string Numbers(float[] values)
    {
        return values == null ? "" : string.Join(",", values.Select(Number));
    }

    private static string Told(VoiceEvent said)
    {
        var rescues = said.Rescues.Select(each => each.Token + " " + each.Kept + " " + each.Kind + " " + each.Text);
        return string.Join("\t", said.Voice, said.Token, said.Text.Replace("\n", "\\n"), said.End,
            Numbers(said.Mood), Numbers(said.Asked), Numbers(said.Reading), Numbers(said.Score), said.Forgotten,
            string.Join(",", said.Likely.Select(each => each.Key + ":" + Number(each.Value))), said.Guard,
            Number(said.GuardFactor), said.GuardStopped, string.Join("|", rescues), said.Face,
            Number(said.FaceReading), Number(said.Valence), Number(said.Arousal));
    }

    private static List<VoiceEvent> Heard(Stage stage)
    {
        var heard = new List<VoiceEvent>();
        VoiceEvent said;
        while (stage.Poll(out said)) heard.Add(said);
        Require(said == null, "no event where there is none");
        return heard;
    }

    private static string Text(IEnumerable<VoiceEvent> heard) { return string.Concat(heard.Select(each => each.Text)); }

    private static void Moods(string personality)
    {
        Library.CheckVersion();
        Require(Library.Version.StartsWith("0.1."), "version");
        using (var ramp = Mood.Parse("{\"joy\": {\"ramp\": [0, 1], \"over\": 4}, \"fear\": 0.25}"))
        {
            var rows = ramp.Rows(new[] { "fear", "joy" }, 5);
            Require(rows.GetLength(0) == 5 && rows.GetLength(1) == 2, "the shape of rows");
            for (int i = 0; i < 5; ++i) Require(rows[i, 0] == 0.25f && rows[i, 1] == i * 0.25f, "row " + i);
            Require(ramp.SystemPrompt == null, "a mood that is no personality");
        }
        using (var of = Mood.Of(new Dictionary<string, float> { { "joy", 0.5f }, { "fear", -1 } }))
        {
            var rows = of.Rows(new[] { "joy", "fear" }, 1);
            Require(rows[0, 0] == 0.5f && rows[0, 1] == -1, "a mood of numbers");
        }
        using (var loaded = Mood.Load(personality))
            Require(loaded.SystemPrompt == "Sei schüchtern. 日本", "a personality: " + loaded.SystemPrompt);
        Refused<LlamoodException>("mood at 'joy.ramp[1]'", () => Mood.Parse("{\"joy\": {\"ramp\": [0, \"1\"], \"over\": 2}}"));
        Refused<ArgumentException>("zero character at 3", () => Mood.Parse("{} \0"));
        var gone = Mood.Parse("{}");
        gone.Dispose();
        Refused<ObjectDisposedException>("", () => gone.Rows(new[] { "joy" }, 1));
    }

    private static Sampling Drawn()
    {
        return new Sampling
        {
            Temperature = 1, RepeatPenalty = 1.3f, LastTokens = 16, Seed = 4, Likely = 2, MaxTokens = 40,
            Stops = new[] { "kett", "é日" },
        };
    }

    // The same as tests/bindings/test_csharp.py asks of C.
    private static void Scene(Model model)
    {
        var settings = new StageSettings
        {
            Voices = 2, Context = 128, Batch = 32, Threads = 1, Overflow = Overflow.Drop,
        };
        using (var stage = new Stage(model, settings))
        using (var tooMuch = Mood.Parse("{\"joy\": {\"constant\": 3, \"max\": 9}, \"$max\": 9}"))
        using (var held = Mood.Parse("{\"fear\": {\"hold\": 1.5}}"))
        {
            int one = stage.Join("Be brief.", tooMuch, Drawn()), other = stage.Join(null, held, Drawn());
            stage.SetFaces(other, new[] { "smile", "idle", "shiver" }, new[] { "joy", null, "fear" });
            for (int i = 0; i < 3; ++i)
            {
                stage.Say(one, Said, Drawn());
                stage.Say(other, string.Concat(Enumerable.Repeat(Said, 6)), Drawn());
                while (stage.Step()) { }
            }
            foreach (var said in Heard(stage)) Console.WriteLine(Told(said));
        }
    }

    private static void Voices(Model model)
    {
        var joy = model.Emotions.ToList().IndexOf("joy");
        using (var stage = new Stage(model, new StageSettings { Voices = 2, Context = 128, Batch = 32, Threads = 1 }))
        {
            var exact = new Sampling { Grammar = "root ::= \"a joy é\"", Temperature = 0 };
            int voice = stage.Join(null, null, exact);
            stage.Say(voice, Said);
            while (stage.StepFor(1000)) { }
            var heard = Heard(stage);
            Require(Text(heard) == "a joy é", "what a grammar leaves: " + Text(heard));
            Require(heard.Last().End == End.Stop, "its end");

            var weights = new float[model.Emotions.Count];
            weights[joy] = 0.5f;
            stage.Feel(voice, weights);
            stage.Say(voice, Said, new Sampling { MaxTokens = 6, Temperature = 0 });
            stage.Pause(voice, true);
            stage.Step();
            stage.Pause(voice, false);
            while (stage.Step(4)) { }
            heard = Heard(stage);
            Require(heard.Any(each => each.Mood[joy] == 0.5f), "weights are felt");
            stage.Feel(voice, (Mood)null);
            stage.Say(voice, Said, new Sampling { MaxTokens = 6 });
            stage.Step();
            stage.Interrupt(voice);
            while (stage.Step()) { }
            heard = Heard(stage);
            Require(heard.Last().End == End.Interrupted && heard.Last().Mood[joy] == 0, "interrupted, neutral");

            stage.Start();
            Refused<LlamoodException>("", () => stage.Step());
            stage.Say(voice, Said, new Sampling { MaxTokens = 6, Temperature = 0 });
            heard.Clear();
            while (heard.Count == 0 || heard.Last().End == End.None)
            {
                heard.AddRange(Heard(stage));
                Thread.Sleep(1);
            }
            stage.Stop();
            Require(Text(heard).Length > 0, "what a stage says by itself");
            stage.Leave(voice);
            Refused<LlamoodException>("voice 0 is not there", () => stage.Say(voice, Said));
            Refused<ArgumentException>("1 labels came with 0", () => stage.SetFaces(0, new[] { "a" }, new string[0]));
            Refused<LlamoodException>("", () => stage.Feel(voice, new float[1]));
        }
    }

    private static int Main(string[] arguments)
    {
        Library.SilenceLog();
        Moods(arguments[2]);
        Refused<LlamoodException>("nowhere.gguf", () => new Model("nowhere.gguf", arguments[1]));
        Model model = new Model(arguments[0], arguments[1], new ModelSettings { Readings = true, Site = "layer_out" });
        for (int i = 0; i < model.Emotions.Count; ++i)
            Console.WriteLine("{0}\t{1}", model.Emotions[i], model.Ceiling(i).ToString("R", CultureInfo.InvariantCulture));
        Refused<LlamoodException>("", () => new Stage(model, new StageSettings { ChatTemplate = "no such" }));
        Voices(model);
        Scene(model);
        model.Dispose();
        // What is not disposed is freed by the collector.
        new Model(arguments[0], arguments[1]);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return 0;
    }
}
