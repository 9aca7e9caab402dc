// llamood for C#: characters that speak from one model, each in a mood of its own. MIT licence.
//
// One file over the C library, for .NET Standard 2.0 and C# 7.3: Unity (Mono and IL2CPP), Godot,
// MonoGame. Nothing here is called back from C. What a function does, and when it fails, is said in
// llamood.h; what fails throws LlamoodException with llamood's words, and changes nothing.
//
// A Mood and a Model never change, and serve any thread. A Stage belongs to one thread at a time.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Llamood
{
    /// <summary>What llamood says of a failure: what was found, what was expected, what to do.</summary>
    public sealed class LlamoodException : Exception
    {
        internal LlamoodException(string message) : base(message) { }
    }

    /// <summary>Where a conversation is longer than what a voice can remember.</summary>
    public enum Overflow { Refuse = 0, Drop = 1 }

    /// <summary>What becomes of an answer that collapses under its mood.</summary>
    public enum Guard { None = 0, Rescue = 1, Stop = 2 }

    /// <summary>Why an answer is over; None where it is not.</summary>
    public enum End { None = 0, Stop = 1, Length = 2, Time = 3, Interrupted = 4, Failed = 5, Refused = 6 }

    /// <summary>The C library itself.</summary>
    public static class Library
    {
        /// <summary>Any seed: another one for each answer.</summary>
        public const uint AnySeed = 0xFFFFFFFF;

        internal const int Major = 0, Minor = 1;

        /// <summary>Of the library that is running, as "0.1.0".</summary>
        public static string Version { get { return Utf8.Text(Native.llamood_version()); } }

        /// <summary>Throws unless the library that is running can serve this file. A Model does it.</summary>
        public static void CheckVersion()
        {
            Call.Said(Native.llamood_check_version(Major, Minor, Call.Error, Call.Size));
        }

        /// <summary>Let llama.cpp say nothing, in the whole process. (It writes to standard error
        /// otherwise; a callback from its threads is no safe thing in a game engine.)</summary>
        public static void SilenceLog()
        {
            const int error = 4;
            Native.llamood_set_log(IntPtr.Zero, error, IntPtr.Zero);
        }
    }

    /// <summary>What somebody is asked to feel. It knows no model, so one serves many voices.</summary>
    public sealed class Mood : IDisposable
    {
        internal static readonly MoodHandle Neutral = new MoodHandle();
        internal readonly MoodHandle Handle;

        private Mood(MoodHandle handle) { Handle = Call.Made(handle); }

        /// <summary>From its JSON text, as {"joy": {"ramp": [0, 1.2], "over": 64}}.</summary>
        public static Mood Parse(string json)
        {
            return new Mood(Native.llamood_mood_parse(Utf8.Bytes(json), Call.Error, Call.Size));
        }

        /// <summary>Of a file, which may be a personality.</summary>
        public static Mood Load(string path)
        {
            return new Mood(Native.llamood_mood_load(Utf8.Bytes(path), Call.Error, Call.Size));
        }

        /// <summary>The same intensities at every token; none of them are neutral.</summary>
        public static Mood Of(IReadOnlyDictionary<string, float> intensities)
        {
            var names = new List<string>(intensities.Keys);
            var weights = new List<float>(intensities.Values);
            using (var lent = new Lent())
            {
                return new Mood(Native.llamood_mood_of(
                    lent.Array(names), weights.ToArray(), (UIntPtr)names.Count, Call.Error, Call.Size));
            }
        }

        /// <summary>What a personality tells the model to be, for Stage.Join; null where nothing.</summary>
        public string SystemPrompt { get { return Utf8.Text(Native.llamood_mood_system(Handle)); } }

        /// <summary>(n_token, names): the intensities asked at each token, without a model.</summary>
        public float[,] Rows(IReadOnlyList<string> names, int nToken)
        {
            var rows = new float[nToken, names.Count];
            var flat = new float[rows.Length];
            using (var lent = new Lent())
            {
                Call.Said(Native.llamood_mood_rows(Handle, lent.Array(names), (UIntPtr)names.Count,
                                                   (UIntPtr)nToken, flat, Call.Error, Call.Size));
            }
            Buffer.BlockCopy(flat, 0, rows, 0, flat.Length * sizeof(float));
            return rows;
        }

        public void Dispose() { Handle.Dispose(); }
    }

    /// <summary>How a model is loaded. Begins with the defaults.</summary>
    public sealed class ModelSettings
    {
        /// <summary>"layer_out" or "attn_out", where vectors are added; null: as measured.</summary>
        public string Site;
        /// <summary>How many layers lie on the device; -1 for all.</summary>
        public int GpuLayers;
        public bool UseMmap;
        /// <summary>Load the baseline that lies beside the vectors, so that voices are read.</summary>
        public bool Readings;

        public ModelSettings()
        {
            var defaults = Native.llamood_model_default_params();
            GpuLayers = defaults.n_gpu_layers;
            UseMmap = defaults.use_mmap != 0;
            Readings = defaults.readings != 0;
        }

        internal llamood_model_params Lend(Lent lent)
        {
            return new llamood_model_params
            {
                site = lent.Text(Site), n_gpu_layers = GpuLayers,
                use_mmap = Call.Byte(UseMmap), readings = Call.Byte(Readings),
            };
        }
    }

    /// <summary>A model file with emotion vectors to feel with. May be disposed before its stages.</summary>
    public sealed class Model : IDisposable
    {
        internal readonly ModelHandle Handle;

        /// <summary>The emotions at hand, in the order of every array of weights.</summary>
        public IReadOnlyList<string> Emotions { get; private set; }

        public Model(string path, string vectors, ModelSettings settings = null)
        {
            Library.CheckVersion();
            using (var lent = new Lent())
            {
                var lend = (settings ?? new ModelSettings()).Lend(lent);
                Handle = Call.Made(Native.llamood_model_load(
                    Utf8.Bytes(path), Utf8.Bytes(vectors), ref lend, Call.Error, Call.Size));
            }
            var names = new string[Native.llamood_model_n_emotion(Handle)];
            for (int i = 0; i < names.Length; ++i)
                names[i] = Utf8.Text(Native.llamood_model_emotion(Handle, i));
            Emotions = names;
        }

        /// <summary>The largest intensity at which the i-th is known to read fluently.</summary>
        public double Ceiling(int i) { return Native.llamood_model_ceiling(Handle, i); }

        public void Dispose() { Handle.Dispose(); }
    }

    /// <summary>How a stage is opened. Begins with the defaults.</summary>
    public sealed class StageSettings
    {
        /// <summary>How many can be there at once, 1 to 256.</summary>
        public int Voices;
        /// <summary>How many tokens each of them can remember.</summary>
        public int Context;
        /// <summary>The most tokens of a step, more than Voices.</summary>
        public int Batch;
        /// <summary>0: as many as are fastest; below 0: for all cores but so many.</summary>
        public int Threads;
        /// <summary>For steps that decode prompts; 0 as Threads.</summary>
        public int BatchThreads;
        public Overflow Overflow;
        /// <summary>A name or text that llama.cpp knows; null: the model's own.</summary>
        public string ChatTemplate;
        public Guard Guard;

        public StageSettings()
        {
            var defaults = Native.llamood_stage_default_params();
            Voices = defaults.n_voice;
            Context = defaults.n_ctx;
            Batch = defaults.n_batch;
            Threads = defaults.n_threads;
            BatchThreads = defaults.n_threads_batch;
            Overflow = (Overflow)defaults.overflow;
            Guard = (Guard)defaults.guard;
        }

        internal llamood_stage_params Lend(Lent lent)
        {
            return new llamood_stage_params
            {
                n_voice = Voices, n_ctx = Context, n_batch = Batch, n_threads = Threads,
                n_threads_batch = BatchThreads, overflow = (int)Overflow,
                chat_template = lent.Text(ChatTemplate), guard = (int)Guard,
            };
        }
    }

    /// <summary>How a voice draws its tokens, and when its answers end. Begins with the defaults.</summary>
    public sealed class Sampling
    {
        /// <summary>0 takes the likeliest token, below 0 draws from the logits as they are.</summary>
        public float Temperature;
        public int TopK;
        public float TopP, MinP, TypicalP, RepeatPenalty, FrequencyPenalty, PresencePenalty;
        /// <summary>Of the answer, that the penalties count.</summary>
        public int LastTokens;
        /// <summary>For every answer anew; Library.AnySeed for another one each time.</summary>
        public uint Seed;
        /// <summary>GBNF text whose root is "root"; null for none.</summary>
        public string Grammar;
        /// <summary>Texts at which an answer ends, not part of it.</summary>
        public IReadOnlyList<string> Stops = new string[0];
        /// <summary>Of an answer; 0 for as many as the voice can remember.</summary>
        public int MaxTokens;
        /// <summary>Of an answer; 0 for no limit.</summary>
        public double MaxSeconds;
        /// <summary>Of how many tokens events tell the probability beside their own; -1 for none.</summary>
        public int Likely;

        public Sampling()
        {
            var defaults = Native.llamood_default_sampling();
            Temperature = defaults.temperature;
            TopK = defaults.top_k;
            TopP = defaults.top_p;
            MinP = defaults.min_p;
            TypicalP = defaults.typical_p;
            RepeatPenalty = defaults.repeat_penalty;
            FrequencyPenalty = defaults.frequency_penalty;
            PresencePenalty = defaults.presence_penalty;
            LastTokens = defaults.last_n_tokens;
            Seed = defaults.seed;
            MaxTokens = defaults.max_tokens;
            MaxSeconds = defaults.max_seconds;
            Likely = defaults.n_likely;
        }

        internal llamood_sampling Lend(Lent lent)
        {
            return new llamood_sampling
            {
                temperature = Temperature, top_k = TopK, top_p = TopP, min_p = MinP,
                typical_p = TypicalP, repeat_penalty = RepeatPenalty,
                frequency_penalty = FrequencyPenalty, presence_penalty = PresencePenalty,
                last_n_tokens = LastTokens, seed = Seed, grammar = lent.Text(Grammar),
                stops = lent.Array(Stops), n_stop = (UIntPtr)Stops.Count, max_tokens = MaxTokens,
                max_seconds = MaxSeconds, n_likely = Likely,
            };
        }
    }

    /// <summary>One context in which many voices speak. Disposing it waits for the step that runs.</summary>
    public sealed class Stage : IDisposable
    {
        private readonly StageHandle handle;

        public Stage(Model model, StageSettings settings = null)
        {
            using (var lent = new Lent())
            {
                var lend = (settings ?? new StageSettings()).Lend(lent);
                handle = Call.Made(Native.llamood_stage_open(model.Handle, ref lend, Call.Error, Call.Size));
            }
        }

        /// <summary>A new voice; returns its number. Without a mood it is neutral.</summary>
        public int Join(string system = null, Mood mood = null, Sampling sampling = null)
        {
            using (var lent = new Lent())
            {
                var lend = (sampling ?? new Sampling()).Lend(lent);
                return Call.Said(Native.llamood_join(handle, Utf8.Bytes(system), HandleOf(mood), ref lend,
                                                     Call.Error, Call.Size));
            }
        }

        /// <summary>Say something to a voice, which answers from the next step on.</summary>
        public void Say(int voice, string text)
        {
            Call.Said(Native.llamood_say(handle, voice, Utf8.Bytes(text), Call.Error, Call.Size));
        }

        /// <summary>The same for this answer drawn otherwise than was said when it joined.</summary>
        public void Say(int voice, string text, Sampling sampling)
        {
            using (var lent = new Lent())
            {
                var lend = sampling.Lend(lent);
                Call.Said(Native.llamood_say_so(handle, voice, Utf8.Bytes(text), ref lend,
                                                Call.Error, Call.Size));
            }
        }

        /// <summary>Let a voice feel this from its next token on; null is neutral.</summary>
        public void Feel(int voice, Mood mood)
        {
            Call.Said(Native.llamood_feel(handle, voice, HandleOf(mood), Call.Error, Call.Size));
        }

        /// <summary>The same with intensities in the order of Model.Emotions; cheap enough for every
        /// frame.</summary>
        public void Feel(int voice, float[] weights)
        {
            Call.Said(Native.llamood_feel_weights(handle, voice, weights, (UIntPtr)weights.Length,
                                                  Call.Error, Call.Size));
        }

        /// <summary>Let a voice say what comes without its mood, or with it again.</summary>
        public void Pause(int voice, bool paused)
        {
            Call.Said(Native.llamood_pause(handle, voice, Call.Byte(paused), Call.Error, Call.Size));
        }

        /// <summary>The faces that a voice can show: labels, and the emotion of each, null for the
        /// neutral one.</summary>
        public void SetFaces(int voice, IReadOnlyList<string> labels, IReadOnlyList<string> emotions)
        {
            if (labels.Count != emotions.Count)
                throw new ArgumentException(labels.Count + " labels came with " + emotions.Count +
                                            " emotions; give one for each, null for the neutral face");
            using (var lent = new Lent())
            {
                Call.Said(Native.llamood_set_faces(handle, voice, lent.Array(labels), lent.Array(emotions),
                                                   (UIntPtr)labels.Count, Call.Error, Call.Size));
            }
        }

        /// <summary>Let a voice say no more; what it said stays in its memory.</summary>
        public void Interrupt(int voice)
        {
            Call.Said(Native.llamood_interrupt(handle, voice, Call.Error, Call.Size));
        }

        /// <summary>Interrupt a voice and forget it.</summary>
        public void Leave(int voice)
        {
            Call.Said(Native.llamood_leave(handle, voice, Call.Error, Call.Size));
        }

        /// <summary>Write to a file all that it takes for a voice to go on from here, in the middle of
        /// an answer too; with its cache the file is larger, and nothing is decoded again.</summary>
        public void Save(int voice, string path, bool withCache = false)
        {
            Call.Said(Native.llamood_voice_save(handle, voice, Utf8.Bytes(path), Call.Byte(withCache),
                                                Call.Error, Call.Size));
        }

        /// <summary>A new voice, which is the one that was saved there and goes on as that one would;
        /// returns its number.</summary>
        public int Load(string path)
        {
            return Call.Said(Native.llamood_voice_load(handle, Utf8.Bytes(path), Call.Error, Call.Size));
        }

        /// <summary>Decode one batch, of at most `tokens` (0: as many as it holds); whether somebody
        /// still speaks.</summary>
        public bool Step(int tokens = 0)
        {
            return Call.Said(Native.llamood_step(handle, tokens, Call.Error, Call.Size)) == 1;
        }

        /// <summary>Steps as long as they are expected to fit into this time, but one at least.</summary>
        public bool StepFor(double milliseconds)
        {
            return Call.Said(Native.llamood_step_for(handle, milliseconds, Call.Error, Call.Size)) == 1;
        }

        /// <summary>From now on step in a thread of the stage's own; Say, Feel, Interrupt and Poll
        /// never wait for the model then.</summary>
        public void Start() { Call.Said(Native.llamood_stage_start(handle, Call.Error, Call.Size)); }

        /// <summary>End that thread, after the step that runs; nothing is lost.</summary>
        public void Stop() { Call.Said(Native.llamood_stage_stop(handle, Call.Error, Call.Size)); }

        /// <summary>The next event; false where there is none.</summary>
        public bool Poll(out VoiceEvent said)
        {
            llamood_event found;
            bool isThere = Call.Said(Native.llamood_poll(handle, out found, Call.Error, Call.Size)) == 1;
            said = isThere ? new VoiceEvent(found) : null;
            return isThere;
        }

        public void Dispose() { handle.Dispose(); }

        private static MoodHandle HandleOf(Mood mood) { return mood == null ? Mood.Neutral : mood.Handle; }
    }

    /// <summary>An answer collapsed at Token, counted from 1, and went back to the first Kept.</summary>
    public sealed class Rescue
    {
        public readonly int Token, Kept;
        /// <summary>"flood", "loop", "words", "bytes", "broken" or "salad".</summary>
        public readonly string Kind;
        /// <summary>What it did, for a person.</summary>
        public readonly string Text;

        internal Rescue(llamood_rescue found)
        {
            Token = found.token;
            Kept = found.kept;
            Kind = Utf8.Text(found.kind);
            Text = Utf8.Text(found.text);
        }
    }

    /// <summary>A token that a voice said, or the end of what it says. All of it is copied.</summary>
    public sealed class VoiceEvent
    {
        public readonly int Voice;
        /// <summary>-1 where the end is no token.</summary>
        public readonly int Token;
        /// <summary>Whole characters, "" where they are not whole yet.</summary>
        public readonly string Text;
        /// <summary>In the order of Model.Emotions: the weights under which it was chosen, and what
        /// the mood asked for before limits and inertia.</summary>
        public readonly float[] Mood, Asked;
        /// <summary>In the order of Model.Emotions, as z-scores: what had been expressed, and what
        /// the token before it expressed by itself; null where nothing was read.</summary>
        public readonly float[] Reading, Score;
        public readonly End End;
        /// <summary>In the first event of an answer, how many turns were dropped to make room.</summary>
        public readonly int Forgotten;
        /// <summary>Of what the mood asks what is not given, a line each; null where nothing is.</summary>
        public readonly string Notice;
        /// <summary>Tokens, and the natural logarithms of their probabilities in the mood: its own
        /// token, and then the likeliest.</summary>
        public readonly KeyValuePair<int, float>[] Likely;
        /// <summary>What became of the answer where it collapsed before this token, for a person;
        /// null where it did not.</summary>
        public readonly string Guard;
        /// <summary>What is left of the mood after that.</summary>
        public readonly float GuardFactor;
        public readonly bool GuardStopped;
        public readonly Rescue[] Rescues;
        /// <summary>What to show, see Stage.SetFaces; null where the voice is not read.</summary>
        public readonly string Face;
        /// <summary>Of the emotion shown; NaN for the neutral face.</summary>
        public readonly float FaceReading;
        /// <summary>-1 to 1, where the reading lies between emotions.</summary>
        public readonly float Valence, Arousal;

        internal VoiceEvent(llamood_event found)
        {
            Voice = found.voice;
            Token = found.token;
            Text = Utf8.Text(found.text);
            Mood = Floats(found.mood, found.n_emotion);
            Asked = Floats(found.asked, found.n_emotion);
            Reading = Floats(found.reading, found.n_emotion);
            Score = Floats(found.score, found.n_emotion);
            End = (End)found.end;
            Forgotten = found.forgotten;
            Notice = Utf8.Text(found.notice);
            Likely = new KeyValuePair<int, float>[(int)found.n_likely];
            for (int i = 0; i < Likely.Length; ++i)
            {
                var each = At<llamood_likely>(found.likely, i);
                Likely[i] = new KeyValuePair<int, float>(each.token, each.logprob);
            }
            Guard = Utf8.Text(found.guard);
            bool collapsed = Guard != null; // without it the rest of it is not set
            GuardFactor = collapsed ? found.guard_factor : 1;
            GuardStopped = collapsed && found.guard_stopped != 0;
            Rescues = new Rescue[collapsed ? (int)found.n_rescue : 0];
            for (int i = 0; i < Rescues.Length; ++i)
                Rescues[i] = new Rescue(At<llamood_rescue>(found.rescues, i));
            Face = Utf8.Text(found.face);
            FaceReading = found.face_reading;
            Valence = found.valence;
            Arousal = found.arousal;
        }

        private static float[] Floats(IntPtr from, int n)
        {
            if (from == IntPtr.Zero) return null;
            var floats = new float[n];
            Marshal.Copy(from, floats, 0, n);
            return floats;
        }

        private static T At<T>(IntPtr array, int i) where T : struct
        {
            return Marshal.PtrToStructure<T>(IntPtr.Add(array, i * Marshal.SizeOf<T>()));
        }
    }

    // -- How C is called ------------------------------------------------------------------------

    internal static class Call
    {
        [ThreadStatic] private static byte[] error; // so that frames leave no garbage behind

        internal static byte[] Error { get { return error ?? (error = new byte[2048]); } }
        internal static UIntPtr Size { get { return (UIntPtr)Error.Length; } }

        internal static int Said(int result)
        {
            if (result < 0) throw new LlamoodException(Utf8.Text(Error));
            return result;
        }

        internal static T Made<T>(T made) where T : SafeHandle
        {
            if (made.IsInvalid) throw new LlamoodException(Utf8.Text(Error));
            return made;
        }

        internal static byte Byte(bool value) { return value ? (byte)1 : (byte)0; }
    }

    // Marshal knows no UTF-8 in .NET Standard 2.0.
    internal static class Utf8
    {
        internal static byte[] Bytes(string text)
        {
            if (text == null) return null;
            int zero = text.IndexOf('\0');
            if (zero >= 0)
                throw new ArgumentException("a text has a zero character at " + zero + ", where C would " +
                                            "end it; leave it out");
            return Encoding.UTF8.GetBytes(text + '\0');
        }

        internal static string Text(byte[] bytes)
        {
            return Encoding.UTF8.GetString(bytes, 0, Array.IndexOf(bytes, (byte)0));
        }

        internal static string Text(IntPtr text)
        {
            if (text == IntPtr.Zero) return null;
            int n = 0;
            while (Marshal.ReadByte(text, n) != 0) ++n;
            var bytes = new byte[n];
            Marshal.Copy(text, bytes, 0, n);
            return Encoding.UTF8.GetString(bytes);
        }
    }

    // Texts that C reads during one call.
    internal sealed class Lent : IDisposable
    {
        private readonly List<IntPtr> blocks = new List<IntPtr>();

        internal IntPtr Text(string text)
        {
            var bytes = Utf8.Bytes(text);
            if (bytes == null) return IntPtr.Zero;
            IntPtr block = Block(bytes.Length);
            Marshal.Copy(bytes, 0, block, bytes.Length);
            return block;
        }

        internal IntPtr Array(IReadOnlyList<string> texts)
        {
            IntPtr block = Block(Math.Max(texts.Count, 1) * IntPtr.Size);
            for (int i = 0; i < texts.Count; ++i)
                Marshal.WriteIntPtr(block, i * IntPtr.Size, Text(texts[i]));
            return block;
        }

        public void Dispose()
        {
            foreach (var block in blocks) Marshal.FreeHGlobal(block);
            blocks.Clear();
        }

        private IntPtr Block(int size)
        {
            IntPtr block = Marshal.AllocHGlobal(size);
            blocks.Add(block);
            return block;
        }
    }

    internal sealed class MoodHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public MoodHandle() : base(true) { }
        protected override bool ReleaseHandle() { Native.llamood_mood_free(handle); return true; }
    }

    internal sealed class ModelHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public ModelHandle() : base(true) { }
        protected override bool ReleaseHandle() { Native.llamood_model_free(handle); return true; }
    }

    internal sealed class StageHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public StageHandle() : base(true) { }
        protected override bool ReleaseHandle() { Native.llamood_stage_free(handle); return true; }
    }

    // -- llamood.h, in its names: a bool is a byte, a text an IntPtr, an enum an int --------------

#pragma warning disable 0649 // C writes some of these fields

    [StructLayout(LayoutKind.Sequential)]
    internal struct llamood_model_params
    {
        public IntPtr site;
        public int n_gpu_layers;
        public byte use_mmap, readings;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct llamood_stage_params
    {
        public int n_voice, n_ctx, n_batch, n_threads, n_threads_batch, overflow;
        public IntPtr chat_template;
        public int guard;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct llamood_sampling
    {
        public float temperature;
        public int top_k;
        public float top_p, min_p, typical_p, repeat_penalty, frequency_penalty, presence_penalty;
        public int last_n_tokens;
        public uint seed;
        public IntPtr grammar, stops;
        public UIntPtr n_stop;
        public int max_tokens;
        public double max_seconds;
        public int n_likely;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct llamood_rescue
    {
        public int token, kept;
        public IntPtr kind, text;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct llamood_likely
    {
        public int token;
        public float logprob;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct llamood_event
    {
        public int voice, token;
        public IntPtr text;
        public int n_emotion;
        public IntPtr mood, reading;
        public int end, forgotten;
        public IntPtr notice, asked, score, likely;
        public UIntPtr n_likely;
        public IntPtr guard;
        public float guard_factor;
        public byte guard_stopped;
        public IntPtr rescues;
        public UIntPtr n_rescue;
        public IntPtr face;
        public float face_reading, valence, arousal;
    }

    internal static class Native
    {
        private const string Dll = "llamood"; // libllamood.so, libllamood.dylib, llamood.dll
        private const CallingConvention C = CallingConvention.Cdecl;

        [DllImport(Dll, CallingConvention = C)]
        internal static extern IntPtr llamood_version();
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_check_version(int major, int minor, [Out] byte[] error,
            UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern MoodHandle llamood_mood_parse(byte[] json, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern MoodHandle llamood_mood_load(byte[] path, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern IntPtr llamood_mood_system(MoodHandle mood);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern MoodHandle llamood_mood_of(IntPtr names, float[] intensities, UIntPtr n,
            [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_mood_rows(MoodHandle mood, IntPtr names, UIntPtr n_name,
            UIntPtr n_token, [Out] float[] rows, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern void llamood_mood_free(IntPtr mood);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern void llamood_set_log(IntPtr callback, int least, IntPtr user);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern llamood_model_params llamood_model_default_params();
        [DllImport(Dll, CallingConvention = C)]
        internal static extern ModelHandle llamood_model_load(byte[] path, byte[] vectors,
            ref llamood_model_params settings, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_model_n_emotion(ModelHandle model);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern IntPtr llamood_model_emotion(ModelHandle model, int i);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern double llamood_model_ceiling(ModelHandle model, int i);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern void llamood_model_free(IntPtr model);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern llamood_stage_params llamood_stage_default_params();
        [DllImport(Dll, CallingConvention = C)]
        internal static extern StageHandle llamood_stage_open(ModelHandle model,
            ref llamood_stage_params settings, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern void llamood_stage_free(IntPtr stage);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern llamood_sampling llamood_default_sampling();
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_join(StageHandle stage, byte[] system, MoodHandle mood,
            ref llamood_sampling sampling, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_say(StageHandle stage, int voice, byte[] text,
            [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_say_so(StageHandle stage, int voice, byte[] text,
            ref llamood_sampling sampling, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_feel(StageHandle stage, int voice, MoodHandle mood,
            [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_feel_weights(StageHandle stage, int voice, float[] weights,
            UIntPtr n, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_pause(StageHandle stage, int voice, byte paused,
            [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_set_faces(StageHandle stage, int voice, IntPtr labels,
            IntPtr emotions, UIntPtr n, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_interrupt(StageHandle stage, int voice, [Out] byte[] error,
            UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_leave(StageHandle stage, int voice, [Out] byte[] error,
            UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_step(StageHandle stage, int n_token, [Out] byte[] error,
            UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_step_for(StageHandle stage, double milliseconds,
            [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_stage_start(StageHandle stage, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_stage_stop(StageHandle stage, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_poll(StageHandle stage, out llamood_event said,
            [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_voice_save(StageHandle stage, int voice, byte[] path,
            byte with_cache, [Out] byte[] error, UIntPtr size);
        [DllImport(Dll, CallingConvention = C)]
        internal static extern int llamood_voice_load(StageHandle stage, byte[] path, [Out] byte[] error,
            UIntPtr size);
    }
}
